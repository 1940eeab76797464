/** Durations as LiteLLM writes them, for whoever checks what people type. */
import { parsePeriod } from '../core/period.ts'

/** `30s`, `15m`, `1h`, `30d`, `1w`, `1mo` and words such as `daily`. */
export const isDuration = (text: string): boolean => parsePeriod(text) !== undefined
