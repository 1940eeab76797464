/** Whom we trust upstream, out of the configuration's files. */
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { EgressConfig } from '../config/egress.ts'
import { patternOf } from './egress.ts'
import { type Trust, WaysOut } from './way-out.ts'

/** @throws Error with a sentence for the operator where a file can't be read */
export function waysOut(
  config: EgressConfig,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number,
): WaysOut {
  const own = config.ca === undefined ? undefined : readPem('tollgate.egress.ca', config.ca)
  const usual: Trust | undefined = own === undefined ? undefined : { ...NOTHING, ca: [...tls.rootCertificates, own] }
  const trusts = new Map(
    Object.entries(config.upstreams).map(([origin, { ca, cert, key, pins }]): [string, Trust] => {
      const at = `tollgate.egress.upstreams.${origin}`
      return [
        new URL(origin).origin,
        {
          ca: ca === undefined ? usual?.ca : [readPem(`${at}.ca`, ca)],
          cert: cert === undefined ? undefined : readPem(`${at}.cert`, cert),
          key: key === undefined ? undefined : readPem(`${at}.key`, key),
          pins: pins?.map((pin) => pin.slice('sha256//'.length)),
        },
      ]
    }),
  )
  return new WaysOut({
    rules: { only: config.only?.map(patternOf), private: config.private.map(patternOf) },
    env,
    now,
    trustOf: (origin) => trusts.get(new URL(origin).origin) ?? usual,
  })
}

const NOTHING: Trust = { ca: undefined, cert: undefined, key: undefined, pins: undefined }

function readPem(setting: string, path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${setting}: ${path} can't be read (${(cause as { code?: string }).code ?? 'unknown'}).`)
  }
  if (!text.includes('-----BEGIN ')) throw new Error(`${setting}: ${path} holds no PEM.`)
  return text
}
