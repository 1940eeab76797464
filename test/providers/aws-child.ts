/** Asks a model of Bedrock with what stands in `ASK` (JSON) and prints the statuses or failures, a line each. */
import { stringify } from 'yaml'
import { providers } from '../../providers/index.ts'
import { load } from '../../src/config/load.ts'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { targetDialects } from '../../src/dialects/index.ts'
import { linkFor } from '../../src/upstream/registry.ts'
import { send } from '../../src/upstream/send.ts'
import { plainWays } from '../support/ways.ts'

const { params, times, rounds, pauseMs } = JSON.parse(process.env.ASK ?? '{}') as {
  params: object
  times: number
  rounds: number
  pauseMs: number
}
const litellm_params = { model: 'bedrock/amazon.nova-lite-v1:0', ...params }
const loaded = load(stringify({ model_list: [{ model_name: 'it', litellm_params }] }), process.env, providers)
if (!loaded.ok || !loaded.config.models[0]) throw new Error(JSON.stringify(loaded))
if (loaded.warnings.length > 0) throw new Error(JSON.stringify(loaded.warnings))
const timeouts = { connect: 1_000, firstByte: 1_000, idle: 1_000, total: 1_000 }
const link = linkFor(loaded.config.models[0], timeouts, process.env, plainWays)

async function ask(): Promise<string> {
  try {
    const response = await send(link, targetDialects['bedrock-converse'], '{}', false, AbortSignal.timeout(20_000))
    return String(response.status)
  } catch (cause) {
    return cause instanceof UpstreamFailure ? `${cause.failure.kind}: ${cause.failure.message}` : String(cause)
  }
}

for (let i = 0; i < rounds; i++) {
  if (i > 0) await Bun.sleep(pauseMs)
  console.log((await Promise.all(Array.from({ length: times }, ask))).join('\n'))
}
console.log(Bun.inspect(link, { depth: 12 }))
process.exit(0)
