"""Install and remove Dapr, its state store and the sidecars."""
