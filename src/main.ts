#!/usr/bin/env bun
/** The command line's front door: argv in, exit code out. */
import { raiseFetchLimit } from './cli/fetch-limit.ts'
import { run } from './cli/run.ts'

process.title = 'tollgate'
await raiseFetchLimit()
process.exit(await run(process.argv))
