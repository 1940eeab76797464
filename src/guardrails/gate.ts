/**
 * A stream of an answer on its way past guards. What has come is held back until it has been looked at, and as much more as
 * something that is found could be long, so that nothing forbidden leaves before it is seen. Events keep their order.
 * What was taken out of the request is put back behind the guards.
 */
import type { Event, TokenLogprob } from '../dialects/canonical.ts'
import type { Piece, PieceKind, Subject } from './guard.ts'
import { placesIn, textsIn, unescaped, withText } from './json-texts.ts'
import { oddsTell } from './odds.ts'
import { findingsIn, type Looked, type Rail } from './rail.ts'
import { bare, merged, type Span, without } from './redact.ts'
import type { Vault } from './vault.ts'

export interface GateHouse {
  /** Those that look at answers. */
  rails: readonly Rail[]
  vault: Vault
  /** The alias that was asked for. */
  model: string
  /** How many choices were asked for. */
  choices: number
  /** Names of the tools that the request has declared. */
  declared: ReadonlySet<string>
  look(rails: readonly Rail[], subject: Subject): readonly Looked[] | Promise<readonly Looked[]>
  /** Those of them whose findings are to be taken out. @throws Refusal where the answer ends here */
  decide(looked: readonly Looked[], pieces: readonly Piece[]): readonly Looked[]
  /** Too much would have to be held back. @returns whether it goes on unseen @throws Refusal where it must not */
  tooLong(): void
}

/** Characters between two looks of guards that answer at once. */
const LOCAL_STEP = 64
/** Characters that are held back at most: then there is no verdict. */
const MOST_HELD = 4 * 1024 * 1024

type Said = Event & { type: 'text' | 'thinking' | 'refusal' | 'args' }

/** One thread of an answer: the text, the thinking, the arguments of one call. */
class Channel {
  /** From `base` on; what is before it was released and is beyond every window. */
  raw = ''
  base = 0
  judged = 0
  released = 0
  /** How far it has been looked at; what may go on was not judged. */
  looked = 0
  /** Nothing more comes, for now. */
  closed = false
  edits: { start: number; end: number; text: string }[] = []
  /** Said and not sent: it may be the beginning of a placeholder. */
  tail = ''
  /** Its shape, for whoever has to say the tail. */
  last: Said | undefined

  constructor(
    readonly kind: PieceKind,
    readonly choice: number,
  ) {}

  get end(): number {
    return this.base + this.raw.length
  }

  slice(start: number, end = this.end): string {
    return this.raw.slice(start - this.base, end - this.base)
  }

  /** What goes out for this part of it. */
  outOf(start: number, end: number): { text: string; isEdited: boolean } {
    let out = ''
    let from = start
    let isEdited = false
    for (const edit of this.edits) {
      if (edit.end <= start || edit.start >= end) continue
      isEdited = true
      if (edit.start >= from) out += this.slice(from, edit.start) + edit.text
      from = Math.max(from, Math.min(edit.end, end))
    }
    return { text: out + this.slice(from, end), isEdited }
  }

  /** Lets go of what nobody looks at any more. */
  forget(before: number): void {
    const at = Math.max(this.base, Math.min(before, this.released))
    if (at - this.base < FORGET_STEP) return
    this.raw = this.raw.slice(at - this.base)
    this.base = at
    this.edits = this.edits.filter((edit) => edit.end > at)
  }
}

const FORGET_STEP = 4_096

type Entry =
  | { event: Said; channel: Channel; start: number; end: number }
  /** `aside`: texts in it that are looked at by themselves. */
  | Aside
interface Aside {
  event: Event
  channel: undefined
  aside: readonly string[]
}

export class Gate {
  readonly #house: GateHouse
  #rails: readonly Rail[]
  readonly #channels = new Map<string, Channel>()
  #queue: Entry[] = []
  /** Those of the queue that come whole and are still to be looked at: the queue may be long. */
  #asides: Aside[] = []
  #held = 0
  readonly #finished = new Set<number>()
  #allDone = false
  /** Choices whose thought is not what was signed. */
  readonly #unsigned = new Set<number>()
  /** What was left out, in the caller's words. */
  readonly dropped = new Set<string>()

  constructor(house: GateHouse) {
    this.#house = house
    this.#rails = house.rails
  }

  push(event: Event): void {
    switch (event.type) {
      case 'text':
      case 'thinking':
      case 'refusal':
        this.#close(event.choice, event.type)
        this.#say(event, this.#channel(event.type, event.choice))
        break
      case 'args':
        this.#say(event, this.#channel('tool_args', event.choice, event.index))
        break
      case 'finish':
        this.#finished.add(event.choice)
        this.#close(event.choice)
        if (this.#finished.size >= this.#house.choices) this.#allDone = true
        this.#queue.push({ event, channel: undefined, aside: [] })
        break
      case 'end':
        this.close()
        this.#queue.push({ event, channel: undefined, aside: [] })
        break
      case 'call':
        this.#close(event.choice, 'call')
        this.#pushAside({ event, channel: undefined, aside: asideOf(event, this.#house.declared) })
        break
      default:
        this.#pushAside({ event, channel: undefined, aside: asideOf(event, this.#house.declared) })
    }
    if (this.#held > MOST_HELD) this.#giveUp()
  }

  /** Nothing more comes: what is held back is looked at as it is. */
  close(): void {
    this.#allDone = true
    for (const channel of this.#channels.values()) channel.closed = true
  }

  /** What was not sent is forgotten: somebody else goes on behind what was. */
  restart(): void {
    this.#queue = []
    this.#asides = []
    this.#held = 0
    this.#finished.clear()
    this.#allDone = false
    for (const channel of this.#channels.values()) {
      channel.raw = channel.slice(channel.base, channel.released)
      Object.assign(channel, { judged: channel.released, looked: channel.released, tail: '', closed: false })
    }
  }

  /** The events that may be sent now. @throws Refusal where the answer ends here */
  settle(): Event[] | Promise<Event[]> {
    const due = this.#due()
    if (!due) return this.#release()
    const looks = due.subjects.map(({ rails, subject }) => this.#house.look(rails, subject))
    if (!looks.some((look) => look instanceof Promise)) return this.#judged(due, looks as (readonly Looked[])[])
    return Promise.all(looks).then((all) => this.#judged(due, all))
  }

  #pushAside(entry: Aside): void {
    this.#queue.push(entry)
    if (entry.aside.length > 0) this.#asides.push(entry)
  }

  #channel(kind: PieceKind, choice: number, index = 0): Channel {
    const name = `${choice} ${kind} ${index}`
    let channel = this.#channels.get(name)
    if (!channel) {
      channel = new Channel(kind, choice)
      this.#channels.set(name, channel)
    }
    return channel
  }

  #say(event: Said, channel: Channel): void {
    const start = channel.end
    channel.raw += event.text
    channel.closed = false
    channel.last = event
    this.#held += event.text.length
    this.#queue.push({ event, channel, start, end: channel.end })
  }

  /** Another thread of the choice begins: what was said in the others is all there, but for arguments, which may mix. */
  #close(choice: number, now?: PieceKind | 'call'): void {
    for (const channel of this.#channels.values()) {
      if (channel.choice !== choice || channel.kind === now) continue
      if (now !== undefined && channel.kind === 'tool_args') continue
      channel.closed = true
    }
  }

  #railsFor(kind: PieceKind): readonly Rail[] {
    return this.#rails.filter(
      ({ guard, terms }) =>
        guard.kinds.has(kind) &&
        (!terms.pieces || terms.pieces.includes(kind)) &&
        (!terms.roles || terms.roles.includes('assistant')),
    )
  }

  #due(): Due | undefined {
    const parts: Part[] = []
    const isWhole = this.#rails.some(({ guard }) => guard.needsWhole)
    const windows: Rail[] = []
    for (const rail of this.#rails) if (!rail.guard.needsWhole) windows.push(rail)
    for (const channel of this.#channels.values()) {
      if (channel.judged >= channel.end) continue
      const rails = this.#railsFor(channel.kind)
      if (rails.length === 0) {
        // Arguments are put together before values are put back into them.
        if (channel.kind !== 'tool_args' || channel.closed || this.#house.vault.isEmpty) channel.judged = channel.end
        if (channel.kind !== 'tool_args') channel.forget(channel.released)
        continue
      }
      if (isWhole && !this.#allDone) continue
      if (channel.kind === 'tool_args' && !channel.closed) continue
      const window = Math.max(...rails.map(({ guard }) => guard.window))
      const step = rails.every(({ guard }) => guard.local)
        ? LOCAL_STEP
        : Math.min(...rails.filter(({ guard }) => !guard.local).map(({ terms }) => terms.every))
      // Something that goes on is looked at anew each time it is a quarter longer, so that no length of it is too dear.
      const held = Math.max(0, channel.looked - channel.judged - window)
      const due = Math.max(channel.judged + window, channel.looked) + Math.max(step, held / 4)
      if (!channel.closed && channel.end < due) continue
      const from = channel.kind === 'tool_args' ? 0 : Math.max(channel.base, channel.judged - window)
      const safe = channel.closed ? channel.end : channel.end - window
      parts.push({ channel, from, safe })
    }
    const asides = [...this.#asides]
    if (parts.length === 0 && asides.length === 0) return undefined
    const places: Place[] = []
    for (const part of parts) places.push(...placesOf(part))
    for (const entry of asides)
      for (const text of entry.aside) places.push({ text, kind: 'text', choice: 0, aside: entry })
    const piecesOf = (all: readonly Place[]): Piece[] =>
      all.map(({ text, kind, choice }) => ({ kind, role: 'assistant', text, choice }))
    const subject = (pieces: Piece[], whole: boolean): Subject => ({
      ...{ direction: 'output', model: this.#house.model, pieces, whole },
    })
    const subjects = [{ rails: windows, subject: subject(piecesOf(places), this.#allDone) }]
    const wholes = this.#rails.filter(({ guard }) => guard.needsWhole)
    // Nothing of what they have to see was let go: it has been held back.
    if (wholes.length > 0 && this.#allDone) subjects.push({ rails: wholes, subject: subject(piecesOf(places), true) })
    return { parts, places, asides, subjects }
  }

  #judged({ parts, places, asides, subjects }: Due, all: readonly (readonly Looked[])[]): Event[] {
    const spans = new Map<Place, Span[]>()
    for (const [i, looked] of all.entries()) {
      const pieces = subjects[i]?.subject.pieces ?? []
      for (const { look } of this.#house.decide(looked, pieces)) {
        if (!look) continue
        for (const [at, place] of places.entries()) {
          const found = findingsIn(look, at)
          if (found.length > 0) spans.set(place, [...(spans.get(place) ?? []), ...merged(found, place.text.length)])
        }
      }
    }
    for (const part of parts) {
      const { channel } = part
      if (channel.kind === 'tool_args') this.#editArgs(part, places, spans)
      else this.#editText(part, places, spans)
      channel.forget(channel.judged - this.#window())
    }
    this.#asides = this.#asides.filter((entry) => !asides.includes(entry))
    for (const entry of asides) {
      const isFound = places.some((place) => place.aside === entry && spans.has(place))
      entry.aside = []
      if (!isFound) continue
      const { event } = entry
      // Its arguments follow, and need it.
      if (event.type === 'call') {
        const { type, choice, index, id, name } = event
        entry.event = { type, choice, index, id, name: this.#house.declared.has(name) ? name : 'REDACTED' }
      }
      // Else it is left out whole: what it is made of only its own dialect knows.
      else this.#queue = this.#queue.filter((one) => one !== entry)
    }
    return this.#release()
  }

  #window(): number {
    // Who needs the whole needs its beginning, too.
    if (this.#rails.some(({ guard }) => guard.needsWhole)) return Number.POSITIVE_INFINITY
    return Math.max(0, ...this.#rails.map(({ guard }) => guard.window))
  }

  #editText({ channel, from, safe }: Part, places: readonly Place[], spans: ReadonlyMap<Place, Span[]>): void {
    const place = places.find((one) => one.channel === channel)
    const found = merged(
      (place ? (spans.get(place) ?? []) : []).map((span) => ({ ...span, piece: 0, confidence: 1 })),
      place?.text.length ?? 0,
    ).map((span) => ({ ...span, start: span.start + from, end: span.end + from }))
    channel.looked = from + (place?.text.length ?? 0)
    let upTo = safe
    // What reaches beyond may go on: it waits for more.
    for (const span of found.toReversed()) if (span.start < upTo && span.end > upTo) upTo = span.start
    upTo = Math.max(upTo, channel.judged)
    for (const { start, end, what, replacement } of found) {
      if (end <= channel.judged || start >= upTo) continue
      // Its beginning may have gone before anybody could see what it would be.
      const at = Math.max(start, channel.judged)
      channel.edits.push({ start: at, end, text: replacement ?? bare('', what) })
      if (channel.kind === 'thinking') this.#unsigned.add(channel.choice)
    }
    channel.judged = upTo
  }

  #editArgs({ channel }: Part, places: readonly Place[], spans: ReadonlyMap<Place, Span[]>): void {
    let json = channel.raw
    let isEdited = false
    for (const place of places.toReversed()) {
      if (place.channel !== channel) continue
      const found = spans.get(place)
      if (!found) continue
      isEdited = true
      const text = without(place.text, found, bare)
      json = place.json ? withText(json, place.json, text) : text
    }
    if (isEdited) channel.edits = [{ start: 0, end: channel.end, text: json }]
    channel.judged = channel.end
  }

  #release(): Event[] {
    const out: Event[] = []
    let n = 0
    for (; n < this.#queue.length; n++) {
      const entry = this.#queue[n] as Entry
      if (!entry.channel) {
        if (entry.aside.length > 0 && this.#railsFor('text').length > 0) break
        this.#emit(entry.event, out)
        continue
      }
      const { channel } = entry
      const upTo = Math.min(entry.end, channel.judged)
      if (channel.kind === 'tool_args') {
        if (channel.judged < entry.end) break
        if (upTo > channel.released) this.#emitArgs(entry.event, channel, out)
        continue
      }
      if (upTo > entry.start) {
        const isAll = entry.start === entry.end - entry.event.text.length && upTo === entry.end
        this.#emitText(entry.event, channel, entry.start, upTo, isAll, out)
        this.#held -= upTo - entry.start
        channel.released = upTo
        entry.start = upTo
      } else if (entry.event.text === '' && entry.end <= channel.judged) out.push(entry.event)
      if (upTo < entry.end) break
    }
    if (n > 0) this.#queue = this.#queue.slice(n)
    return out
  }

  #emitText(event: Said, channel: Channel, start: number, end: number, isAll: boolean, out: Event[]): void {
    this.#sayTails(channel.choice, out, channel)
    const { text: edited, isEdited } = channel.outOf(start, end)
    const { vault } = this.#house
    let text = edited
    // What a model thinks is signed with its placeholders, and goes back to it with them.
    if (channel.kind !== 'thinking' && !vault.isEmpty) {
      const all = channel.tail + edited
      const at = vault.openFrom(all)
      channel.tail = all.slice(at)
      text = vault.show(all.slice(0, at))
    }
    if (isAll && !isEdited && text === event.text && !this.#oddsTell(event)) return void out.push(event)
    if (text === '') return
    // Odds tell tokens that are no longer there.
    const { logprobs: _, ...rest } = event as Said & { logprobs?: unknown }
    out.push({ ...rest, text } as Event)
  }

  #oddsTell(event: Said & { logprobs?: readonly TokenLogprob[] }): boolean {
    if (event.type !== 'text' || !event.logprobs || !oddsTell(this.#rails, event.logprobs, this.#house.model))
      return false
    this.dropped.add('logprobs')
    return true
  }

  #emitArgs(event: Said, channel: Channel, out: Event[]): void {
    this.#sayTails(channel.choice, out)
    const from = channel.released
    const { text } = channel.outOf(from, channel.judged)
    this.#held -= channel.judged - from
    channel.released = channel.judged
    out.push({ ...event, text: from === 0 ? this.#house.vault.showInJson(text) : text } as Event)
  }

  #emit(event: Event, out: Event[]): void {
    if ('choice' in event) this.#sayTails(event.choice, out)
    else if (event.type === 'end') for (const { choice } of this.#channels.values()) this.#sayTails(choice, out)
    if (event.type === 'signature' && this.#unsigned.has(event.choice)) {
      this.dropped.add('thinking')
      return
    }
    out.push(event)
  }

  /** Something else comes: what looked like the beginning of a placeholder was none. */
  #sayTails(choice: number, out: Event[], but?: Channel): void {
    for (const channel of this.#channels.values()) {
      if (channel.choice !== choice || channel === but || channel.tail === '') continue
      const { logprobs: _, ...last } = channel.last as Said & { logprobs?: unknown }
      out.push({ ...last, text: channel.tail } as Event)
      channel.tail = ''
    }
  }

  #giveUp(): void {
    this.#house.tooLong()
    this.#rails = []
  }
}

interface Part {
  channel: Channel
  /** What is shown of it begins here, and is judged up to `safe`. */
  from: number
  safe: number
}

interface Place {
  text: string
  kind: PieceKind
  choice: number
  channel?: Channel
  /** Its place in the arguments. */
  json?: { start: number; end: number }
  aside?: Entry
}

interface Due {
  parts: readonly Part[]
  places: readonly Place[]
  asides: readonly Aside[]
  subjects: readonly { rails: readonly Rail[]; subject: Subject }[]
}

function placesOf({ channel, from }: Part): Place[] {
  const { kind, choice } = channel
  if (kind !== 'tool_args') return [{ text: channel.slice(from), kind, choice, channel }]
  const texts = textsIn(channel.raw)
  if (!texts) return [{ text: channel.raw, kind, choice, channel }]
  return texts.map(({ text, start, end }) => ({ text: unescaped(text), kind, choice, channel, json: { start, end } }))
}

/** Texts of events that come whole. */
function asideOf(event: Event, declared: ReadonlySet<string>): string[] {
  const extras = 'extras' in event ? placesIn(event.extras?.fields, () => {}).map(({ text }) => text) : []
  switch (event.type) {
    case 'citation': {
      const { quote, title, url } = event.citation
      return [quote, title, url].filter((text) => text !== undefined && text !== '') as string[]
    }
    case 'search':
      return event.query === '' ? extras : [event.query, ...extras]
    case 'call':
      return declared.has(event.name) || event.name === '' ? extras : [event.name, ...extras]
    default:
      return extras
  }
}
