/** What a caller is told when an upstream fails inside a stream: our sentence, never the upstream's. */
import { Refusal } from '../../core/refusal.ts'
import { writeStreamError } from './error.ts'

export const INTERRUPTED =
  'The answer was cut off: the model stopped in the middle of it. What came before is not the whole answer.'

/** @param told a refusal of ours that ends the stream; without one it is the upstream that failed, whose words nobody is told */
export const interrupted = (told = new Refusal('stream_interrupted', INTERRUPTED)): string => writeStreamError(told)
