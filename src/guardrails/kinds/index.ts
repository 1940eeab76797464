/** All kinds of guards. */
import type { Kind } from '../kind.ts'

export const kinds: readonly Kind[] = []
