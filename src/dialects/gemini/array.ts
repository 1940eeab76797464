/**
 * A stream as a JSON array: what `streamGenerateContent` answers without `alt=sse`. The dialect writes and relays events;
 * this turns their bytes into the elements of one array, whatever way they are cut.
 */
import { SseFramer } from '../sse.ts'

export class SseToArray {
  private readonly framer = new SseFramer()
  private begun = false

  /** What is to be sent for these bytes, '' where they complete no event. */
  push(bytes: Uint8Array): string {
    return this.elements(this.framer.push(bytes))
  }

  /** The rest, and the end of the array; to be sent always, an array of nothing included. */
  end(): string {
    return `${this.elements(this.framer.end())}${this.begun ? '' : '['}]\n`
  }

  private elements(events: ReturnType<SseFramer['push']>): string {
    let out = ''
    for (const { frame } of events) {
      if (!frame) continue
      out += `${this.begun ? ',\r\n' : '['}${frame.data}`
      this.begun = true
    }
    return out
  }
}
