"""The chat page: everything a reader sees, over Gradio.

`ui.app` has the three doors: `build`, `launch` and `error_page`. Uses only `rag`'s public names, and nothing in
`rag` imports it. Importing `ui` or `ui.app` is cheap: Gradio is loaded when a page is built.
"""
