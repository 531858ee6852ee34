"""The catalogue of event types: what each payload holds, as JSON Schema and by example. Data, and who checks it."""
