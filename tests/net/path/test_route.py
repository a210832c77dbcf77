"""Vantages and walls in, links and hops out."""

import pytest

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_vantage
from crenel.instant import seconds
from crenel.net.path.route import Link, Route, Standing, route_of
from crenel.wall.effects import Side

WALL = load_wall("gfw", as_of="2020-01-15")


def test_a_vantage_gives_hops_delays_and_middleboxes() -> None:
    vantage = load_vantage("eleven-points-2017")
    route = route_of(vantage, WALL)
    assert route.links == (Link(6, seconds(0.006)), Link(8, seconds(0.075)))
    assert (route.hops, route.client_side, route.walls) == (vantage.hops_to_server, Side.INSIDE, (WALL,))
    assert (len(route.client_middleboxes), route.strict_share) == (4, 0.318)
    assert route_of(load_vantage("outside-2020"), WALL).client_side is Side.OUTSIDE


def test_without_a_wall_it_is_one_link() -> None:
    assert route_of(load_vantage("zhengzhou"), ()).links == (Link(14, seconds(0.0808)),)


def test_several_walls_stand_in_the_order_of_their_hops_and_divide_the_delay() -> None:
    vantage = load_vantage("eleven-points-2017")
    near = load_wall("gfw", as_of="2017-05-01")
    route = route_of(vantage, [Standing(WALL, 7), Standing(near, 5)])
    assert route.walls == (near, WALL)
    assert [link.routers for link in route.links] == [4, 2, 8]
    assert sum(link.delay for link in route.links) == seconds(0.081)
    assert route.hops == 15


@pytest.mark.parametrize("hop", [0, 15, 16])
def test_a_wall_stands_between_the_ends(hop: int) -> None:
    with pytest.raises(ValueError, match="1 to 14"):
        route_of(load_vantage("eleven-points-2017"), [Standing(WALL, hop)])


def test_a_route_counts_its_hops() -> None:
    assert Route((Link(0, 5),)).hops == 1
