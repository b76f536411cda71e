"""Azure: every call that passes an azure-core pipeline, and the same calls as documents.

`facts` needs no SDK; azure-core is imported by `hook`, `pipelines` and `resolver` only, when they are used.
"""
