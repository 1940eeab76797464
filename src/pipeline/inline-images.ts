import { Refusal } from '../core/refusal.ts'
import type { Chat, Part } from '../dialects/canonical.ts'
import type { Link } from '../upstream/link.ts'
import type { Call } from './call.ts'
import { canonicalOf, dialectFor } from './compose.ts'
import type { Io } from './io.ts'

/** More images by URL than this in one request are refused: each is a connection of ours. */
const MOST_IMAGES = 16

/**
 * Puts images in the place of their URLs where the target takes only bytes; does nothing (and costs nothing) elsewhere.
 * @throws Refusal invalid_request for an image that can't be had
 */
export async function inlineImages(call: Call, io: Io, link: Link): Promise<void> {
  const dialect = dialectFor(call.door.dialect, link)
  if (dialect === call.door.dialect || dialect.op !== 'chat' || !dialect.imagesAsBytes) return
  const chat = canonicalOf(call) as Chat
  const urls = new Set<string>()
  for (const { parts } of chat.messages) for (const part of parts) if (isByUrl(part)) urls.add(part.source.url)
  if (urls.size === 0) return
  if (urls.size > MOST_IMAGES)
    throw new Refusal('invalid_request', `No more than ${MOST_IMAGES} images may be named by URL.`, {
      param: 'messages',
    })
  const fetch = async (url: string) => [url, await io.fetchImage(url, call.leaving.toSignal())] as const
  const fetched = new Map(await Promise.all([...urls].map(fetch)))
  const inlined = (part: Part): Part => {
    const image = isByUrl(part) ? fetched.get(part.source.url) : undefined
    return image ? { ...(part as Part & { type: 'image' }), source: { kind: 'data', ...image } } : part
  }
  call.canonical = { ...chat, messages: chat.messages.map((m) => ({ ...m, parts: m.parts.map(inlined) })) }
}

type ByUrl = Part & { type: 'image'; source: { kind: 'url'; url: string } }

/** Addresses of a cloud's own storage (`s3://`) are not fetched by us. */
const isByUrl = (part: Part): part is ByUrl =>
  part.type === 'image' && part.source.kind === 'url' && /^https?:/i.test(part.source.url)
