"""How people and programs sign in: limits, second factors, and a provider of OpenID Connect."""
