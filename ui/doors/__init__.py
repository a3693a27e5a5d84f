"""Other doors to the same engine: HTTP API, OpenAI's protocol, Gradio's client, MCP, the terminal."""
