/** `tollgate content`: what was said and answered, where that was to be kept, for whoever is named to read it. */
import { defineCommand } from 'citty'
import { DEFAULT_URL } from './management.ts'
import { type ExitCode, type Terminal, Trouble } from './terminal.ts'

const show = defineCommand({
  meta: { name: 'show', description: 'Print what was said and answered in a request; it is written down that you did' },
  args: {
    request: { type: 'positional', required: true, description: 'Its id, as in x-request-id' },
    url: { type: 'string', description: `The gateway. Default: TOLLGATE_URL, else ${DEFAULT_URL}` },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const key = terminal.env.TOLLGATE_KEY
    if (!key)
      throw new Trouble('set TOLLGATE_KEY to your own key: content is read by people, and never by the master key.')
    const origin = (args.url ?? (terminal.env.TOLLGATE_URL || DEFAULT_URL)).replace(/\/+$/, '')
    let response: Response
    try {
      response = await fetch(`${origin}/content/${encodeURIComponent(args.request)}`, {
        headers: { authorization: `Bearer ${key}` },
      })
    } catch {
      throw new Trouble(`the gateway at ${origin} does not answer. Name another with --url.`)
    }
    const said = (await response.json()) as { error?: { message?: string } }
    if (!response.ok)
      throw new Trouble(`the gateway refused (${response.status}): ${said.error?.message ?? 'no reason told'}`)
    terminal.out(JSON.stringify(said, null, 2))
    return 0
  },
})

export const contentCommand = defineCommand({
  meta: { name: 'content', description: 'What was said and answered, where that is kept' },
  subCommands: { show },
})
