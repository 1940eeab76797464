/** The routes of /credentials, in LiteLLM's words. Values go in and never come out. */
import { z } from 'zod'
import { Refusal } from '../core/refusal.ts'
import { isSecretSetting } from '../secrets/secret.ts'
import type { Credential, Credentials } from './credentials.ts'
import { name, readBody } from './fields.ts'

type Json = Record<string, unknown>

const values = z.record(
  z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be the name of a setting'),
  z.string().max(100_000),
)
const info = z.record(z.string().max(256), z.unknown())

export const making = z.object({
  credential_name: name(256),
  credential_values: values,
  credential_info: info.nullish(),
})
export const changing = z.object({
  credential_name: name(256).nullish(),
  credential_values: values.nullish(),
  credential_info: info.nullish(),
})

export interface CredentialRoutes {
  make(body: Json): Json
  list(): Json
  show(name: string): Json
  change(name: string, body: Json): Json
  remove(name: string): Json
}

export function credentialRoutes(credentials: Credentials): CredentialRoutes {
  const need = (id: string): Credential => {
    const found = credentials.get(id)
    if (found) return found
    throw new Refusal('not_found', `There is no credential '${id.slice(0, 100)}'. GET /credentials lists them.`)
  }
  const told = (credential: Credential, restart: readonly string[]): Json => ({
    success: true,
    message: 'Credential stored, sealed. It is shown to nobody again.',
    ...show(credential),
    ...(restart.length > 0
      ? {
          holds_from_next_start: restart,
          hint: 'Models that run already take a new key at once, and these at the next start.',
        }
      : {}),
  })
  return {
    make(body) {
      const { credential_name: id, credential_values: said, credential_info: about } = readBody(making, body)
      if (credentials.get(id))
        throw new Refusal(
          'conflict',
          `The credential '${id}' exists already. Change it with PATCH /credentials/${id}.`,
          {
            status: 400,
            param: 'credential_name',
          },
        )
      const credential = { name: id, values: said, info: about ?? {} }
      return told(credential, credentials.put(credential))
    },
    list: () => ({ success: true, credentials: credentials.all().map(show) }),
    show: (id) => show(need(id)),
    change(id, body) {
      const { credential_values: said, credential_info: about } = readBody(changing, body)
      const before = need(id)
      const credential = {
        name: id,
        values: { ...before.values, ...said },
        info: { ...before.info, ...about },
      }
      return told(credential, credentials.put(credential))
    },
    remove(id) {
      credentials.remove(id)
      return { success: true, message: 'Credential deleted. Models that use it have no key any more.' }
    },
  }
}

/** Secrets are masked as a whole: the first characters of a key say whose it is. */
const show = ({ name: id, values: said, info: about }: Credential): Json => ({
  credential_name: id,
  credential_values: Object.fromEntries(
    Object.entries(said).map(([setting, value]) => [setting, isSecretSetting(setting) ? '***' : value]),
  ),
  credential_info: about,
})
