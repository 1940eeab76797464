/** All kinds of guards. */
import type { Kind } from '../kind.ts'
import { pii } from './pii.ts'
import { secrets } from './secrets.ts'
import { words } from './words.ts'

export const kinds: readonly Kind[] = [pii, secrets, words]

const BY_NAME = new Map(kinds.flatMap((one) => [one.kind, ...one.litellm].map((name) => [name, one] as const)))

/** @param name ours, or that of LiteLLM's type */
export const kindNamed = (name: string): Kind | undefined => BY_NAME.get(name)
