/** The management routes of a running gateway, for commands. */
import { findConfig, loadFile } from '../config/files.ts'
import { report } from './report.ts'
import { type Terminal, Trouble } from './terminal.ts'

/** ms. Management is quick; a gateway that is not is not well. */
const PATIENCE = 30_000

export interface Client {
  get(path: string): Promise<unknown>
  /** An answer that is no JSON. */
  text(path: string): Promise<string>
  post(path: string, body: unknown): Promise<unknown>
}

/** @throws Trouble where there is no key, no gateway, or it refuses */
export async function clientFor(url: string, config: string | undefined, terminal: Terminal): Promise<Client> {
  if (!URL.canParse(url)) throw new Trouble(`\`${url}\` is no address. Write for instance --url http://127.0.0.1:4000`)
  const origin = url.replace(/\/+$/, '')
  const key = await masterKey(config, terminal)
  const read = async (method: string, path: string, body?: unknown): Promise<string> => {
    let response: Response
    try {
      response = await fetch(origin + path, {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(PATIENCE),
      })
    } catch (cause) {
      const why = cause instanceof Error && cause.name === 'TimeoutError' ? 'gave no answer in time' : 'does not answer'
      throw new Trouble(
        `the gateway at ${origin} ${why}. Start it with \`tollgate serve\`, or name another with --url.`,
      )
    }
    const text = await response.text()
    if (!response.ok)
      throw new Trouble(`the gateway refused (${response.status}): ${sentenceOf(parse(text)) ?? text.slice(0, 200)}`)
    return text
  }
  return {
    get: async (path) => parse(await read('GET', path)),
    text: (path) => read('GET', path),
    post: async (path, body) => parse(await read('POST', path, body)),
  }
}

/** The key of the file that is named, else the environment's, else that of the usual file. */
async function masterKey(named: string | undefined, terminal: Terminal): Promise<string> {
  const { env } = terminal
  const given = env.TOLLGATE_MASTER_KEY || env.LITELLM_MASTER_KEY
  if (named === undefined && given) return given
  const file = findConfig(named, env)
  if (file !== undefined) {
    const { providers, guardKinds } = await terminal.app()
    const loaded = await loadFile(file, env, await providers(), guardKinds())
    if (!loaded.ok) {
      report(file, loaded, terminal)
      throw new Trouble(`${file} is wrong, so its master key can't be read.`)
    }
    if (loaded.config.masterKey) return loaded.config.masterKey.reveal()
    if (named !== undefined && !given) throw new Trouble(`${file} has no general_settings.master_key.`)
    if (given) return given
  }
  throw new Trouble(
    'the master key is missing. Set TOLLGATE_MASTER_KEY, or name the configuration file that has it with --config. One that was made was shown at the first start.',
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** OpenAI's `error.message`, or FastAPI's `detail`. */
function sentenceOf(answer: unknown): string | undefined {
  const { error, detail } = (answer ?? {}) as { error?: { message?: unknown }; detail?: unknown }
  if (typeof error?.message === 'string') return error.message
  return typeof detail === 'string' ? detail : undefined
}
