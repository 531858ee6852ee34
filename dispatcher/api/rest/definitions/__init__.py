"""Publishers' integrations and products over REST."""
