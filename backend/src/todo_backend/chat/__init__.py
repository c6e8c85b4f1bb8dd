"""The assistant: conversations, the agent, and its tools over the network."""
