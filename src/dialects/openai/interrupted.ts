/** What a caller is told when an upstream fails inside a stream: our sentence, never the upstream's. */
import { Refusal } from '../../core/refusal.ts'
import { writeStreamError } from './error.ts'

export const INTERRUPTED =
  'The model stopped in the middle of its answer. What came so far is not whole; please try again.'

export function interrupted(): string {
  return writeStreamError(new Refusal('stream_interrupted', INTERRUPTED))
}
