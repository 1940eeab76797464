/** A real ACME authority and a real name server on the loopback, for tests. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority, writePair } from '../support/authority.ts'
import { bury, collect, freePort, makeTemp, terminate } from '../support/temp.ts'
import { findPebble } from './binaries.ts'

export interface Pebble {
  directory: string
  /** The file with the certificate that its own HTTPS is checked against. */
  directoryCa: string
  /** The roots of what it issues, PEM. */
  roots(): Promise<string>
  /** Where TXT records are set: `POST /set-txt {host, value}`, `/clear-txt {host}`. */
  names: string
  logs(): string
  stop(): Promise<void>
}

/** @param httpPort where it asks for HTTP-01 challenges, in place of 80 @param lifeS of its certificates, seconds */
export async function startPebble(httpPort: number, lifeS = 7_776_000): Promise<Pebble> {
  const found = findPebble()
  if (!found) throw new Error('Pebble is not there: bun test/acme/bring.ts')
  const folder = makeTemp('pebble')
  const authority = await makeAuthority('Pebble HTTPS')
  const own = writePair(folder, 'https', await authority.issue('pebble', { dns: ['localhost'], ip: ['127.0.0.1'] }))
  const directoryCa = join(folder, 'ca.crt')
  writeFileSync(directoryCa, authority.ca)
  const [acme, management, dns, control] = [freePort(), freePort(), freePort(), freePort()]
  const config = join(folder, 'pebble.json')
  writeFileSync(
    config,
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${acme}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: own.cert,
        privateKey: own.key,
        httpPort,
        tlsPort: 5001,
        retryAfter: { authz: 1, order: 1 },
        keyAlgorithm: 'ecdsa',
        profiles: { default: { description: 'of the test', validityPeriod: lifeS } },
      },
    }),
  )
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', '', '-defaultIPv6', '']
  const names = spawn([
    found.names,
    ...['-defaultIPv4', '127.0.0.1', '-dnsserver', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${control}`],
    ...off,
  ])
  const pebble = spawn([found.pebble, '-config', config, '-dnsserver', `127.0.0.1:${dns}`], {
    PEBBLE_VA_NOSLEEP: '1',
    // A client has to live with nonces that are refused (RFC 8555, 6.5).
    PEBBLE_WFE_NONCEREJECT: '20',
  })
  const tls = { ca: authority.ca }
  const directory = `https://127.0.0.1:${acme}/dir`
  for (let n = 0; ; n++) {
    const answer = await fetch(directory, { tls }).catch(() => undefined)
    if (answer?.ok) break
    if (n > 200) throw new Error(`Pebble did not start:\n${pebble.logs()}\n${names.logs()}`)
    await Bun.sleep(50)
  }
  return {
    directory,
    directoryCa,
    roots: async () => await (await fetch(`https://127.0.0.1:${management}/roots/0`, { tls })).text(),
    names: `http://127.0.0.1:${control}`,
    logs: () => pebble.logs() + names.logs(),
    stop: async () => {
      await Promise.all([terminate(pebble.child, 5_000), terminate(names.child, 5_000)])
    },
  }
}

function spawn(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  bury(child)
  return { child, logs: collect(child) }
}
