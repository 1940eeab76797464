/** Who is measured: the upstream itself, a bare relay, nginx where it is installed, and Tollgate. */
import { Database } from 'bun:sqlite'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { bury, freePort, makeTemp, removeTemp, terminate } from '../support/temp.ts'

export interface Contestant {
  name: string
  port: number
  headers: Record<string, string>
  pids: number[]
  /** Rows in its ledger, for a contestant that keeps one. */
  countRows?(): number
  stop(): Promise<void>
}

/** Bun's fetch stops at 256 connections at once unless told before the process starts; said to the relay for fairness. */
const MANY = { BUN_CONFIG_MAX_HTTP_REQUESTS: '65336' }

const here = (file: string): string => join(import.meta.dir, file)

/** Starts a script that prints its port. */
async function script(name: string, file: string, args: readonly string[]): Promise<Contestant> {
  const child = Bun.spawn([process.execPath, here(file), ...args], {
    env: { ...process.env, ...MANY },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  bury(child)
  const { value } = await child.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value))
  if (!(port > 0)) throw new Error(`${file} did not say its port`)
  const stop = async (): Promise<void> => void (await terminate(child, 2000))
  return { name, port, headers: {}, pids: [child.pid], stop }
}

export const startUpstream = (): Promise<Contestant> => script('upstream itself', 'upstream.ts', [])

export const startRelay = (upstream: number): Promise<Contestant> =>
  script('bare relay', 'relay.ts', [`http://127.0.0.1:${upstream}`])

/** nginx as a reverse proxy in one process; undefined where it is not installed. */
export async function startNginx(upstream: number): Promise<Contestant | undefined> {
  const binary = Bun.which('nginx', { PATH: `${process.env.PATH}:/usr/sbin` })
  if (!binary) return undefined
  const home = makeTemp('nginx')
  const port = freePort()
  for (const folder of ['body', 'proxy']) mkdirSync(join(home, folder))
  const file = join(home, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${home}/pid; error_log ${home}/error.log;
events { worker_connections 4096; }
http {
  access_log off; client_max_body_size 10m; client_body_buffer_size 1m; keepalive_requests 1000000000;
  client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy;
  fastcgi_temp_path ${home}/f; uwsgi_temp_path ${home}/u; scgi_temp_path ${home}/s;
  upstream bench { server 127.0.0.1:${upstream}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://bench; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }
  }
}
`,
  )
  const child = Bun.spawn([binary, '-p', home, '-c', file], { stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' })
  bury(child)
  for (let i = 0; i < 100 && !(await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)); i++)
    await Bun.sleep(20)
  const stop = async (): Promise<void> => {
    await terminate(child, 2000)
    removeTemp(home)
  }
  return { name: 'nginx', port, headers: {}, pids: [child.pid], stop }
}

const PRICE = { input_cost_per_token: 1e-7, output_cost_per_token: 4e-7 }

/** Tollgate with a priced model and a key that has a budget and limits, none of which is ever reached. */
export async function startTollgate(upstream: number): Promise<Contestant | undefined> {
  if (!existsSync(here('../../src/main.ts'))) return undefined
  const model = (name: string) => ({
    model_name: name,
    litellm_params: {
      model: `openai/${name}`,
      api_base: `http://127.0.0.1:${upstream}/v1`,
      api_key: 'sk-bench',
      ...PRICE,
    },
  })
  const gateway = await startGateway({ yaml: { model_list: ['bench', 'bench-held'].map(model) } })
  return {
    name: 'Tollgate',
    port: gateway.port,
    headers: { authorization: `Bearer ${await makeKey(gateway)}` },
    pids: [gateway.pid],
    countRows: () => countRows(gateway.dataDir),
    stop: () => gateway.stop(),
  }
}

async function makeKey(gateway: Gateway): Promise<string> {
  const limits = { max_budget: 1_000_000, rpm_limit: 1_000_000_000, tpm_limit: 1_000_000_000_000 }
  const reply = await gateway.call('POST', '/key/generate', { key_alias: 'bench', ...limits })
  if (!reply.ok) throw new Error(`POST /key/generate answered ${reply.status}: ${await reply.text()}`)
  return ((await reply.json()) as { key: string }).key
}

/** Every attempt is one row of `charges`. Read from the file, so that the gateway's CPU is not spent on it. */
function countRows(dataDir: string): number {
  const database = new Database(join(dataDir, 'tollgate.sqlite'), { readonly: true })
  try {
    return (database.query('SELECT count(*) AS n FROM charges').get() as { n: number }).n
  } finally {
    database.close()
  }
}
