/** The master key: given, or made at the first start. */
import type { Secret } from '../secrets/secret.ts'
import { type Digests, fact, newSecret, setFact } from '../store/keys.ts'
import type { Store } from '../store/open.ts'

/** The master key's digest: of the configured one, of the one made at the first start, or of one made now. */
export function theMasterKey(
  store: Store,
  digests: Digests,
  configured: Secret | undefined,
): { digest: string; made: string | undefined } {
  if (configured) return { digest: digests.of(configured.reveal()), made: undefined }
  const kept = fact(store, 'master_key_digest')
  if (kept) return { digest: kept, made: undefined }
  const made = newSecret()
  const digest = digests.of(made)
  setFact(store, 'master_key_digest', digest)
  return { digest, made }
}
