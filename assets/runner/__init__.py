"""The runner: the program of an organisation that runs tasks beside its data.

It only calls the server, by the API below ``/api/runner/``, and needs no database and no settings.

    start        puts the program together from its options, and ends it on signals
    options      the options, and the values that they take
    program      claims jobs, keeps their leases, runs some at once, stops cleanly
    work         one job, from what it needs to its report
    jobs         what a job is, and the folder that an engine gets
    outputs      checks what a function wrote
    scratch      folders that go with their runner
    samples      folders below the data root, which never leave the machine
    cache        files and unpacked archives by checksum, within a size
    unpacking    archives to folders
    connection   requests that are sent until they are answered
    client       the server's API, with resumed transfers
    engines      how a function runs: one job folder in, one outcome out
    stopping     how work ends that is no longer wanted
    dockerfile   what the ENTRYPOINT of a function's archive runs
"""
