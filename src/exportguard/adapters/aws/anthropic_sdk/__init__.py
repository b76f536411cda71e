"""The anthropic package's own clients, which sign Bedrock calls outside botocore: a wrap of their `request`."""
