/** Clients of PyPI, one script each, against a gateway before a mock: chat, stream, tools, structured output, errors. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type House, PIXEL, PROMPT, QUESTION, SYSTEM, startHouse, TARGETS, TEXT, WORDS } from '../clients/house.ts'
import { run } from '../support/run-child.ts'
import { makeTemp } from '../support/temp.ts'
import { findClients } from './venv.ts'

const HERE = join(import.meta.dir, 'clients')
const SCRIPTS = [...new Bun.Glob('*_client.py').scanSync(HERE)].sort()

let house: House
beforeAll(async () => {
  house = await startHouse()
}, 60_000)
afterAll(() => house?.end())

for (const script of SCRIPTS)
  test(script, async () => {
    const python = findClients()
    if (!python) throw new Error('The Python clients are not there; to bring them: bun test/python/bring.ts')
    const { url, masterKey: key } = house.gateway
    const facts = {
      url,
      key,
      mock: house.mock.url,
      text: TEXT,
      system: SYSTEM,
      question: QUESTION,
      prompt: PROMPT,
      words: WORDS,
      pixel: PIXEL,
    }
    const env = [
      `TOLLGATE_FACTS=${JSON.stringify({ ...facts, targets: TARGETS })}`,
      `LLM_USER_PATH=${join(makeTemp('llm'), 'llm')}`,
      'LANGSMITH_TRACING=false',
      'PYTHONDONTWRITEBYTECODE=1',
    ]
    const command = ['env', ...env, python, join(HERE, script)]
    const { code, output } = await run(command, { name: script, cwd: HERE, limit: 60_000, quiet: true })
    if (code !== 0) throw new Error(`${script} ended with ${code}:\n${output.slice(-4000)}`)
    // A line for each target at least: a script that checked nothing fails here.
    expect(output.match(/^held /gm)?.length ?? 0).toBeGreaterThan(TARGETS.length)
  }, 90_000)
