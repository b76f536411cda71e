"""AWS: what a boto3 call provisions (`facts`, needs no SDK), and the places in botocore that ask first (`hook`).

To judge one more operation: a function with `@operation(service, Operation)` in the file of its family under
`operations/`, and a case in `tests/adapters/aws/`.
"""
