// A page's address and a folder in; every view looked at, its pictures in the folder, and what is wrong with it as JSON out.
"use strict";
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [base, folder, capture, browserPath] = process.argv.slice(2);
const found = { console: [], foreign: [], axe: [], wide: [], failed: [], timings: {} };
const host = new URL(base).host;

const check = (label, holds) => { if (!holds) found.failed.push(label); };

async function open(browser, width, scheme, script) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, javaScriptEnabled: script, bypassCSP: false, acceptDownloads: true,
  });
  const page = await context.newPage();
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) found.console.push(`${message.text()} (${page.url()} ${JSON.stringify(message.location())})`); });
  page.on("pageerror", (error) => found.console.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["data:", "blob:", "about:"].includes(url.protocol) && url.host !== host) found.foreign.push(request.url());
  });
  return { context, page };
}

async function look(page, name) {
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true, caret: "initial" });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) found.wide.push(`${name}: ${wide} px`);
}

async function audit(context, page, name) {
  // The policy of the page lets no other script run in it, so the audit is evaluated and not added.
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document));
  for (const one of result.violations) {
    found.axe.push({ view: name, impact: one.impact, rule: one.id, where: one.nodes.slice(0, 3).map((node) => node.target.join(" ")), why: one.nodes[0].failureSummary });
  }
}

const settled = (page) => page.waitForFunction(() => !document.querySelector(".htmx-request"));
const verdict = (page) => page.locator("#answer .verdict").first().innerText();

// Does something in the page, and waits for the answer that comes of it.
async function asking(page, act) {
  await page.waitForLoadState();
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await act();
  await (await answered).finished();
  await settled(page);
  await page.waitForTimeout(60);
}

async function views(browser, width, scheme) {
  const { context, page } = await open(browser, width, scheme, true);
  const name = (view) => `${view}-${width}-${scheme}`;
  await page.goto(base);
  await look(page, name("first"));
  await audit(context, page, name("first"));

  await asking(page, () => page.fill("#target", "https://allowed.example/"));
  check(`${name("typed")}: an unlisted site passes`, /Passes/.test(await verdict(page)));
  await asking(page, () => page.fill("#target", "https://blocked.example/"));
  check(`${name("typed")}: a listed one does not`, /Blocked|risk/.test(await verdict(page)));
  check(`${name("typed")}: the address keeps what was typed`, (await page.evaluate(() => location.search)).includes("target="));

  await page.focus("#slider");
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("PageDown");
  await asking(page, () => page.keyboard.press("ArrowLeft"));
  const day = await page.inputValue("#date");
  check(`${name("slider")}: the slider moves the date (${day})`, /^\d{4}-\d\d-01$/.test(day));
  check(`${name("slider")}: the answer is of that day`, (await page.locator("#answer .asked").first().innerText()).includes(day));
  check(`${name("slider")}: it has the focus still`, await page.evaluate(() => document.activeElement.id === "slider"));
  await look(page, name("slider"));

  await asking(page, () => page.evaluate(() => { const field = document.getElementById("slider"); field.value = 30; field.dispatchEvent(new Event("input", { bubbles: true })); }));
  check(`${name("early")}: a date before the model is a sentence`, (await page.locator("#answer .problem").count()) === 1);
  check(`${name("early")}: what was typed is kept`, (await page.inputValue("#target")) === "https://blocked.example/");
  await look(page, name("early"));

  await page.goto(`${base}?target=https%3A%2F%2Fblocked.example%2F&date=2025-01-15`);
  await page.locator("details.beside > summary").click();
  await asking(page, () => page.fill("#date2", "2020-09-01"));
  check(`${name("compare")}: two answers stand beside each other`, (await page.locator("#answer .side").count()) === 2);
  await look(page, name("compare"));
  await audit(context, page, name("compare"));

  await page.goto(`${base}?target=quic%3A%2F%2Fblocked.example%2F&date=2025-01-15`);
  await page.locator(".ladder .r .hit").nth(0).click();
  check(`${name("tap")}: a tap on a row shows its fields`, await page.locator(".packets .on").isVisible());
  await page.locator(".drawing details > summary").first().click();
  for (const closed of await page.locator("details.box:not([open]) > summary").all()) await closed.click();
  await look(page, name("quic"));
  await page.locator(".steps button").first().click();
  await page.waitForURL((url) => !url.search.includes("2025-01-15"));
  check(`${name("step")}: a button goes to the change before`, /date=/.test(page.url()) && !/2025-01-15/.test(page.url()));

  await page.goto(`${base}?target=blocked.example&date=2025-01-15`);
  await look(page, name("dns"));

  await page.locator("input[name=kind][value=hex]").check();
  const hello = "474554202f20485454502f312e310d0a486f73743a20626c6f636b65642e6578616d706c650d0a0d0a";
  await page.fill("input[name=port]", "80");
  await asking(page, () => page.fill("#hex", hello));
  check(`${name("hex")}: pasted bytes are judged`, /Blocked|risk/.test(await verdict(page)));
  await look(page, name("hex"));
  await asking(page, () => page.fill("#hex", "zz"));
  check(`${name("hex")}: what is no hex is a sentence`, /hexadecimal/.test(await page.locator("#answer .problem").innerText()));

  await asking(page, () => page.setInputFiles("#file", capture));
  check(`${name("capture")}: an uploaded capture is judged`, (await page.locator(".flows tbody tr").count()) > 3);
  check(`${name("capture")}: its tab is chosen`, await page.locator("input[name=kind][value=capture]").isChecked());
  await look(page, name("capture"));
  await audit(context, page, name("capture"));
  await page.locator(".flows button").nth(2).click();
  await page.waitForURL(/flow=3/);
  check(`${name("capture")}: another flow can be told of`, /flow=3/.test(page.url()));
  await asking(page, () => page.setInputFiles("#file", { name: "<img src=x onerror=alert(1)>.pcap", mimeType: "text/plain", buffer: Buffer.from("not a capture at all, but some text") }));
  check(`${name("capture")}: what is no capture is a sentence`, /not a capture/.test(await page.locator("#answer .problem").innerText()));

  await page.goto(`${base}?target=${encodeURIComponent("https://\u202eelpmaxe.dekcolb/<script>alert(1)</script>")}`);
  check(`${name("hostile")}: a hostile name is text`, (await page.locator("#answer .problem").innerText()).includes("u202e"));

  await page.goto(`${base}?target=https%3A%2F%2Fblocked.example%2F&date=2025-01-15`);
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save this answer" }).click();
  const file = path.join(folder, `${name("report")}.html`);
  await (await coming).saveAs(file);
  check(`${name("report")}: the answer can be saved`, fs.statSync(file).size > 5000);

  await page.goto(`${base}timeline?since=2018&kind=mechanism&kind=rule`);
  await look(page, name("timeline"));
  await audit(context, page, name("timeline"));
  await context.close();
}

async function withoutScript(browser) {
  const { context, page } = await open(browser, 390, "light", false);
  await page.goto(base);
  await page.fill("#target", "http://blocked.example/");
  await page.fill("#date", "2024-05-01");
  await page.getByRole("button", { name: "Look" }).click();
  check("no script: the form is answered", (await page.locator("#answer .asked").first().innerText()).includes("2024-05-01"));
  await page.locator("input[name=kind][value=capture]").check();
  await page.setInputFiles("#file", capture);
  await page.getByRole("button", { name: "Look" }).click();
  check("no script: a capture is judged", (await page.locator(".flows tbody tr").count()) > 3);
  await look(page, "no-script-390-light");
  await context.close();
}

async function timings(browser) {
  const { context, page } = await open(browser, 1280, "light", true);
  const first = [];
  for (let turn = 0; turn < 5; turn += 1) {
    await page.goto(base);
    first.push(await page.evaluate(() => {
      const paint = performance.getEntriesByName("first-contentful-paint")[0];
      const [entry] = performance.getEntriesByType("navigation");
      return { paint: paint ? paint.startTime : null, loaded: entry.domContentLoadedEventEnd };
    }));
  }
  // From the last key to the new verdict in the page, with the pause in which another key would be waited for.
  const typed = [];
  for (const text of ["https://one.example/", "https://blocked.example/a", "http://two.example/", "quic://blocked.example/", "blocked.example", "https://three.example/"]) {
    typed.push(await page.evaluate((words) => new Promise((resolve) => {
      const field = document.getElementById("target");
      const begun = performance.now();
      const watch = new MutationObserver(() => {
        const asked = document.querySelector("#answer .asked bdi");
        if (asked && asked.textContent === words) { watch.disconnect(); resolve(performance.now() - begun); }
      });
      watch.observe(document.getElementById("answer"), { childList: true, subtree: true });
      field.value = words;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }), text));
    await page.waitForTimeout(100);
  }
  found.timings = { first, typed };
  await context.close();
}

(async () => {
  fs.mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  try {
    await timings(browser);
    for (const width of [1280, 390]) for (const scheme of ["light", "dark"]) await views(browser, width, scheme);
    await withoutScript(browser);
  } catch (error) {
    found.failed.push(String(error && error.stack));
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(found));
})();
