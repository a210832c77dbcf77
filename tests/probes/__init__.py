"""The fixed conversations by which a profile is felt over: what each kind of trigger, state model, memory and list could react to."""
