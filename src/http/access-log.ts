/** Writes a line for each request once its answer has gone out, or nobody takes it any more. */
import { type Access, accessLine } from '../core/access-line.ts'
import type { RequestLog } from '../pipeline/io.ts'
import { watchBody } from '../pipeline/watch-body.ts'

type Handler = { fetch(request: Request): Response | Promise<Response> }

interface AccessHouse {
  now(): number
  ipOf(request: Request): string | undefined
  write(line: string): void
}

/** Requests whose answers are still on their way, at most. */
const MOST = 20_000

export class AccessLog {
  readonly #house: AccessHouse
  /** What the pipeline knows of requests whose line is not written yet. */
  readonly #known = new Map<string, { upstreamMs: number | undefined; user: string | undefined }>()

  constructor(house: AccessHouse) {
    this.#house = house
  }

  /** The pipeline is done with a request; its answer may still be on the way. */
  see({ requestId, upstreamMs, who }: RequestLog): void {
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value as string)
    this.#known.set(requestId, { upstreamMs, user: who?.way === 'basic' ? who.userId : undefined })
  }

  /** The same handler, with a line for each request. */
  around(app: Handler): Handler {
    return {
      fetch: (request) => {
        const began = this.#house.now()
        const ip = this.#house.ipOf(request)
        const answer = app.fetch(request)
        const finish = (response: Response) => this.#watched(request, response, ip, began)
        return answer instanceof Promise ? answer.then(finish) : finish(answer)
      },
    }
  }

  #watched(request: Request, response: Response, ip: string | undefined, began: number): Response {
    // One that has become a WebSocket has no answer.
    if (!response) {
      this.#write(request, response, ip, began, 0)
      return response
    }
    let bytes = 0
    return watchBody(response, {
      part: ({ byteLength }) => {
        bytes += byteLength
      },
      over: () => this.#write(request, response, ip, began, bytes),
    })
  }

  #write(request: Request, response: Response | undefined, ip: string | undefined, began: number, bytes: number): void {
    const { now, write } = this.#house
    const id = response?.headers.get('x-request-id') ?? ''
    const known = this.#known.get(id)
    this.#known.delete(id)
    const { url, method, headers } = request
    const at = now()
    const line: Access = {
      ...{ ip, user: known?.user, at, method, target: url.slice(url.indexOf('/', url.indexOf('//') + 2)) },
      ...{ status: response?.status ?? 101, bytes, referer: headers.get('referer'), agent: headers.get('user-agent') },
      ...{ tookMs: at - began, upstreamMs: known?.upstreamMs },
    }
    write(accessLine(line))
  }
}
