/** A real Ollama with the tiny models of `ollama/models`, in a process and a folder of its own. */
import { join } from 'node:path'
import { bury, collect, freePort, makeTemp, ready, removeTemp, terminate } from '../support/temp.ts'
import { findOllama } from './binary.ts'

const MODELS = join(import.meta.dir, 'ollama/models')

/** tiny-chat: text and tool calls; tiny-think: thinking too; tiny-loop: text until num_predict; tiny-embed: 64 dims. */
const TINY = ['tiny-chat', 'tiny-think', 'tiny-loop', 'tiny-embed'] as const

export interface OllamaOptions {
  /** OLLAMA_NUM_PARALLEL, default 1. */
  parallel?: number
  /** OLLAMA_MAX_QUEUE. */
  maxQueue?: number
  /** OLLAMA_MAX_LOADED_MODELS. */
  maxLoaded?: number
  /** OLLAMA_CONTEXT_LENGTH in tokens, default 2048. */
  context?: number
  models?: readonly (typeof TINY)[number][]
  /** 0 or nothing: a free one. */
  port?: number
}

export interface RealOllama {
  /** `http://127.0.0.1:port`, without a slash. */
  url: string
  port: number
  pid: number
  logs(): string
  stop(): Promise<void>
}

/** Starts it and makes the models; takes about half a second. @throws Error where no Ollama is there, or with its log */
export async function startOllama(options: OllamaOptions = {}): Promise<RealOllama> {
  const binary = findOllama()
  if (!binary) throw new Error('There is no Ollama here. Bring one: bun test/real/bring.ts, or set OLLAMA_BIN.')
  const state = makeTemp('ollama')
  const port = options.port || freePort()
  const url = `http://127.0.0.1:${port}`
  const number = (name: string, value: number | undefined) => (value === undefined ? {} : { [name]: String(value) })
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: state,
    OLLAMA_HOST: `127.0.0.1:${port}`,
    OLLAMA_MODELS: join(state, 'models'),
    OLLAMA_NO_CLOUD: '1',
    ...number('OLLAMA_NUM_PARALLEL', options.parallel ?? 1),
    ...number('OLLAMA_CONTEXT_LENGTH', options.context ?? 2048),
    ...number('OLLAMA_MAX_QUEUE', options.maxQueue),
    ...number('OLLAMA_MAX_LOADED_MODELS', options.maxLoaded),
  }
  const child = Bun.spawn([binary, 'serve'], { env, cwd: state, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  bury(child)
  const logs = collect(child)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await terminate(child, 10_000)
    removeTemp(state)
  }
  try {
    await ready(child, `${url}/api/version`, logs, 30_000)
    for (const model of options.models ?? TINY) {
      const command = [binary, 'create', model, '-f', `Modelfile.${model}`]
      const made = Bun.spawn(command, { env, cwd: MODELS, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
      const said = collect(made)
      if ((await made.exited) !== 0) throw new Error(`Ollama could not make ${model}:\n${said()}\n${logs()}`)
    }
  } catch (cause) {
    await stop()
    throw cause
  }
  return { url, port, pid: child.pid, logs, stop }
}
