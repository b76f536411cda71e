"""The `openai` package: calls to OpenAI, to Azure OpenAI, and to whoever else speaks its protocol.

`facts` needs no SDK; `openai` is imported by `hook` and `patches` only.
"""
