/** Certificates from a real ACME authority (Pebble): asked for, kept, renewed, and what happens where it refuses. */
import { afterAll, expect, test } from 'bun:test'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Opened, open, shake, tlsConfig } from '../doors/world.ts'
import { freePort, makeTemp } from '../support/temp.ts'
import { startPebble } from './pebble.ts'

const redirectPort = freePort()
const pebble = await startPebble(redirectPort)
const shortly = await startPebble(redirectPort, 30)
const opened: Opened[] = []
const doors = async (...args: Parameters<typeof open>): Promise<Opened> => {
  const one = await open(...args)
  opened.push(one)
  return one
}
afterAll(async () => {
  for (const one of opened) await one.stop()
  await pebble.stop()
  await shortly.stop()
})

const source = (more: Record<string, unknown> = {}, from = pebble) => ({
  ...{ kind: 'acme' as const, domains: ['llm.tollgate.test', 'api.tollgate.test'], email: 'ops@tollgate.test' },
  ...{ directory: from.directory, directoryCa: from.directoryCa, dnsHook: undefined, renewBefore: undefined },
  ...more,
})

const GIVEN = 'The authority has given a certificate.'

async function until(met: () => boolean, logs: () => string): Promise<void> {
  for (let n = 0; n < 800 && !met(); n++) await Bun.sleep(25)
  if (!met()) throw new Error(logs())
}

const byName = async (port: number, name: string, from = pebble) =>
  await shake(port, { servername: name, rejectUnauthorized: true, ca: await from.roots() })

test('HTTP-01: a certificate that clients of the authority trust, kept for the next start', async () => {
  const dataDir = makeTemp('acme')
  const first = await doors(tlsConfig(source(), { redirectPort }), { dataDir })
  // Until it has come there is one that nobody trusts: the gateway is there all the same.
  expect((await shake(first.port)).protocol).toBe('TLSv1.3')
  await until(
    () => first.told.some((line) => line.startsWith(GIVEN)),
    () => first.told.join('\n') + pebble.logs(),
  )
  const shown = await byName(first.port, 'llm.tollgate.test')
  expect((await byName(first.port, 'api.tollgate.test')).fingerprint).toBe(shown.fingerprint)
  await expect(byName(first.port, 'other.tollgate.test')).rejects.toThrow()
  await first.stop()

  const again = await doors(tlsConfig(source(), { redirectPort }), { dataDir })
  expect((await byName(again.port, 'llm.tollgate.test')).fingerprint).toBe(shown.fingerprint)
  await Bun.sleep(200)
  expect(again.told.filter((line) => line.startsWith(GIVEN))).toEqual([])
  await again.stop()
  const kept = [...new Bun.Glob('acme-*/*.key').scanSync(dataDir)]
  expect(kept).toHaveLength(2)
  for (const path of kept) expect(statSync(join(dataDir, path)).mode & 0o777).toBe(0o600)
}, 60_000)

test('it is renewed before its end, while callers are served', async () => {
  const dataDir = makeTemp('acme')
  const first = await doors(tlsConfig(source({}, shortly), { redirectPort }), { dataDir })
  await until(
    () => first.told.some((line) => line.startsWith(GIVEN)),
    () => first.told.join('\n') + shortly.logs(),
  )
  const before = await byName(first.port, 'llm.tollgate.test', shortly)
  await first.stop()
  // 30 s of life, and to be renewed a day before its end: it is time at the next start.
  const due = source({ renewBefore: 86_400_000 }, shortly)
  const second = await doors(tlsConfig(due, { redirectPort }), { dataDir })
  await until(
    () => second.told.some((line) => line.startsWith(GIVEN)),
    () => second.told.join('\n') + shortly.logs(),
  )
  const after = await byName(second.port, 'llm.tollgate.test', shortly)
  expect(after.fingerprint).not.toBe(before.fingerprint)
  await second.stop()
}, 60_000)

test('DNS-01 by a hook, for a wildcard', async () => {
  const hook = join(makeTemp('hook'), 'hook.sh')
  writeFileSync(
    hook,
    `#!/bin/sh
set -eu
if [ "$1" = set ]; then body="{\\"host\\": \\"$2.\\", \\"value\\": \\"$3\\"}"; route=set-txt
else body="{\\"host\\": \\"$2.\\"}"; route=clear-txt; fi
curl -sf -X POST -d "$body" ${pebble.names}/$route
`,
  )
  chmodSync(hook, 0o755)
  const wild = source({ domains: ['*.tollgate.test'], dnsHook: hook })
  const { port, told } = await doors(tlsConfig(wild))
  await until(
    () => told.some((line) => line.startsWith(GIVEN)),
    () => told.join('\n') + pebble.logs(),
  )
  expect((await byName(port, 'any.tollgate.test')).protocol).toBe('TLSv1.3')
}, 60_000)

test('where the authority refuses, the gateway is there, says so, and asks again later', async () => {
  // Nobody answers challenges at the port that the authority asks.
  const { port, told } = await doors(tlsConfig(source({ domains: ['refused.tollgate.test'] })))
  await until(
    () => told.some((line) => line.startsWith('The authority gave no certificate')),
    () => told.join('\n'),
  )
  expect(told.join('\n')).toContain('"again_in_s":900')
  expect(told.join('\n')).toContain('must reach port 80')
  expect((await shake(port)).protocol).toBe('TLSv1.3')
}, 60_000)

test('a hook that fails is told in its own words', async () => {
  const hook = join(makeTemp('hook'), 'bad.sh')
  writeFileSync(hook, '#!/bin/sh\necho "no such zone" >&2\nexit 3\n')
  chmodSync(hook, 0o755)
  const { told } = await doors(tlsConfig(source({ domains: ['*.bad.test'], dnsHook: hook })))
  await until(
    () => told.some((line) => line.includes('no such zone')),
    () => told.join('\n'),
  )
}, 60_000)
