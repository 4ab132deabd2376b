"""Who an identity provider says is asking: providers, their keys, and the tokens they sign."""
