/** `tollgate.secrets`: how secrets that lie elsewhere are asked for (`vault:…`, `aws-sm:…` and their kin in place of a value). */
import { parseDocument, visit } from 'yaml'
import { z } from 'zod'
import { isReference } from '../secrets/reference.ts'
import type { VaultSettings } from '../secrets/sources/source.ts'
import type { Env } from './interpolate.ts'
import { readYaml } from './read.ts'

const text = (description: string) => z.string().min(1).optional().describe(description)

const vault = z
  .strictObject({
    address: text('Where it is: `https://vault.lan:8200`. Default: `VAULT_ADDR`.'),
    namespace: text('Of Vault Enterprise. Default: `VAULT_NAMESPACE`.'),
    token: text('Whoever has one. Default: `VAULT_TOKEN`.'),
    role_id: text('Of AppRole. Default: `VAULT_ROLE_ID`.'),
    secret_id: text('Of AppRole. Default: `VAULT_SECRET_ID`.'),
    kubernetes_role: text(
      'The role of a pod, which shows the token of its service account. Default: `VAULT_K8S_ROLE`.',
    ),
    kubernetes_token_file: text('Where that token lies. Default: where Kubernetes puts it.'),
    auth_mount: text('Where AppRole or Kubernetes is mounted below `auth/`. Default: `approle`, `kubernetes`.'),
    ca: text('A file with the authority of its certificate. Default: `VAULT_CACERT`, else the public ones.'),
  })
  .prefault({})
  .describe('A Vault with KV version 2, for `vault:MOUNT/PATH#FIELD`. Its own values may be variables only.')

export const secrets = z
  .strictObject({
    refresh: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe(
        'How often secrets that lie elsewhere are read again, in seconds; a new one is used without a restart. 0: only at the start.',
      ),
    vault,
  })
  .prefault({})
  .describe(
    'Secrets that lie elsewhere: `file:…`, `vault:…`, `aws-sm:…`, `azure-kv:…`, `gcp-sm:…` in place of a value.',
  )

/** All references in a file's text, each once. */
export function referencesIn(file: string): string[] {
  const found = new Set<string>()
  visit(parseDocument(file, { merge: true, uniqueKeys: false }), {
    Scalar: (_key, { value }) => {
      if (typeof value === 'string' && isReference(value)) found.add(value)
    },
  })
  return [...found]
}

/** How the sources are asked, read before the rest of the file can be. What is wrong here is told when all of it is loaded. */
export function sourceSettings(file: string, env: Env): { refreshMs: number; vault: VaultSettings } {
  const { value } = readYaml(file, () => env)
  const said = (value as { tollgate?: { secrets?: unknown } } | undefined)?.tollgate?.secrets
  const parsed = secrets.safeParse(said ?? {})
  const { refresh, vault } = parsed.success ? parsed.data : secrets.parse({})
  return { refreshMs: refresh * 1000, vault }
}
