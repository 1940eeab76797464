/** Somebody reads along with an answer, as it goes out and no faster. */

interface Along {
  /** A part of it, as it is sent. */
  part(bytes: Uint8Array): void
  /** It has gone out, broke off, or nobody takes it any more. Once. */
  over(): void
}

/** The same answer, watched. One without a body is over at once. */
export function watchBody(response: Response, { part, over }: Along): Response {
  const { body, status, statusText, headers } = response
  if (!body) {
    over()
    return response
  }
  const reader = body.getReader()
  const watched = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            over()
            return
          }
          part(value)
          controller.enqueue(value)
        } catch (cause) {
          over()
          controller.error(cause)
        }
      },
      cancel: async (reason) => {
        await reader.cancel(reason).catch(() => {})
        over()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(watched, { status, statusText, headers })
}
