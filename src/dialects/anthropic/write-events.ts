/**
 * Events → Anthropic's streams. There everything stands in blocks that are numbered without gaps and never overlap, so
 * what would open a block while a tool call is unfinished waits until the call is whole.
 */
import { NO_USAGE, type Usage } from '../../core/usage.ts'
import type { Chat, Event, Finish, Json } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { imageNote } from '../parts.ts'
import { badReply, callId } from '../wire.ts'
import { writeCitation } from './citations.ts'
import { callId as cleanId } from './content.ts'
import { interrupted } from './error.ts'
import { writeFinish } from './finish.ts'
import { messageId } from './reply.ts'
import { writeUsage } from './usage.ts'

type Open = { kind: 'text' | 'thinking' } | { kind: 'call'; index: number; args: string }

const send = (type: string, body: Json): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`

function isWhole(args: string): boolean {
  try {
    JSON.parse(args)
    return true
  } catch {
    return false
  }
}

export function writer(chat: Chat, answering: Answering): (event: Event) => string {
  let id = messageId(answering)
  let model = chat.model
  let usage: Usage | undefined
  /**
   * Some clients (LangChain.js) read the prompt's tokens here and nowhere else. What is true comes with `message_delta`,
   * whose counts are cumulative and replace these.
   */
  const likely: Usage = { ...NO_USAGE, input: answering.inputLikely ?? 0 }
  let started = false
  let finish: Finish | undefined
  let block = -1
  let open: Open | undefined
  /** Events that came while another call's arguments were unfinished. */
  let waiting: Event[] = []

  const start = (): string => {
    if (started) return ''
    started = true
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
    }
    return send('message_start', { message: { ...message, usage: writeUsage(usage ?? likely) } })
  }
  const close = (): string => {
    if (!open) return ''
    const out = open.kind === 'call' && open.args === '' ? delta({ type: 'input_json_delta', partial_json: '' }) : ''
    open = undefined
    return out + send('content_block_stop', { index: block })
  }
  const begin = (next: Open, content_block: Json): string => {
    const out = start() + close()
    open = next
    block++
    return out + send('content_block_start', { index: block, content_block })
  }
  const delta = (said: Json): string => send('content_block_delta', { index: block, delta: said })

  const inText = (): string => (open?.kind === 'text' ? '' : begin({ kind: 'text' }, { type: 'text', text: '' }))
  const inThinking = (): string =>
    open?.kind === 'thinking' ? '' : begin({ kind: 'thinking' }, { type: 'thinking', thinking: '', signature: '' })

  /** What belongs into the open block, or opens one. */
  function say(event: Event): string {
    switch (event.type) {
      case 'text':
      case 'refusal':
        return event.text === '' ? '' : inText() + delta({ type: 'text_delta', text: event.text })
      case 'citation':
        // One that comes when no text is open stands nowhere.
        return open?.kind === 'text' ? delta({ type: 'citations_delta', citation: writeCitation(event.citation) }) : ''
      case 'image':
        return inText() + delta({ type: 'text_delta', text: imageNote(event.source) })
      case 'thinking':
        return inThinking() + delta({ type: 'thinking_delta', thinking: event.text })
      case 'signature': {
        const out = inThinking() + delta({ type: 'signature_delta', signature: event.signature })
        return out + close()
      }
      case 'redacted_thinking': {
        const out = begin({ kind: 'text' }, { type: 'redacted_thinking', data: event.data })
        return out + close()
      }
      case 'call': {
        const made = event.id === '' ? callId(answering.id, 0, event.index) : cleanId(event.id)
        const content = { type: 'tool_use', id: made, name: event.name, input: {} }
        return begin({ kind: 'call', index: event.index, args: '' }, content)
      }
      case 'args': {
        if (open?.kind !== 'call' || open.index !== event.index) {
          if (event.text.trim() === '') return ''
          throw badReply('The upstream went on with a tool call that was whole already.')
        }
        if (event.text === '') return ''
        open.args += event.text
        return delta({ type: 'input_json_delta', partial_json: event.text })
      }
      default:
        return ''
    }
  }

  /** Whether an event must wait for the call that is being written. */
  function mustWait(event: Event): boolean {
    if (open?.kind !== 'call') return false
    if (event.type === 'args' && event.index === open.index) return false
    return waiting.length > 0 || !isWhole(open.args)
  }

  /** All that waited: call by call, each with its own arguments, then the rest in order. */
  function flush(): string {
    let out = ''
    const late = waiting
    waiting = []
    for (const event of late) {
      if (event.type === 'args') {
        if (!late.some((call) => call.type === 'call' && call.index === event.index)) out += say(event)
        continue
      }
      out += say(event)
      if (event.type !== 'call') continue
      for (const args of late) if (args.type === 'args' && args.index === event.index) out += say(args)
    }
    return out
  }

  return (event) => {
    if ('choice' in event && event.choice !== 0) return ''
    switch (event.type) {
      case 'start':
        if (started) return ''
        id = event.id || id
        model = event.model || model
        usage = event.usage ?? usage
        return start()
      case 'finish': {
        const out = start() + flush() + close()
        finish = event.reason
        return out
      }
      case 'usage':
        usage = event.usage
        return ''
      case 'error':
        return interrupted(event.told)
      case 'end': {
        const out = start() + flush() + close()
        const counted = writeUsage(usage ?? NO_USAGE)
        return `${out}${send('message_delta', { delta: writeFinish(finish), usage: counted })}${send('message_stop', {})}`
      }
      default:
        if (mustWait(event)) {
          waiting.push(event)
          return ''
        }
        return say(event)
    }
  }
}
