/** What is kept of what was said: by whom it is asked for, when it is written, and when it goes. */
import type { Config } from '../config/config.ts'
import type { Payer } from '../core/scope.ts'
import { dayAt, startOfDay } from '../core/zone.ts'
import type { Content, ContentDoor } from '../pipeline/content.ts'
import type { Contents } from '../store/contents.ts'

interface ContentHouse {
  metadataOf(kind: 'team' | 'project', id: string): Readonly<Record<string, unknown>> | undefined
  contents: Contents
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** That wait to be written. */
const MOST_WAITING = 500
const EVERY_MS = 600_000
const PAUSE_MS = 50

export function keepContent(
  { content: rules, timezone }: Pick<Config, 'content' | 'timezone'>,
  { metadataOf, contents, now, warn }: ContentHouse,
): ContentDoor & { stop(): void } {
  const asks = (metadata: Readonly<Record<string, unknown>> | undefined): boolean => metadata?.log_content === true
  const of = (kind: 'team' | 'project', id: string | undefined) => id !== undefined && asks(metadataOf(kind, id))
  let waiting: Content[] = []
  let lost = 0
  let soon: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    soon = undefined
    const all = waiting
    waiting = []
    try {
      for (const one of all) {
        const { requestId, payer, at, status, request, answer } = one
        contents.put({ requestId, payer, at }, JSON.stringify({ status, request, answer }))
      }
    } catch (cause) {
      warn('Content that was to be kept could not be written, and is not kept.', {
        requests: all.length,
        told: String(cause),
      })
    }
    if (lost > 0)
      warn('Content that was to be kept came faster than it could be written: some is not kept.', { requests: lost })
    lost = 0
  }
  let timer: ReturnType<typeof setTimeout>
  const tidy = () => {
    let gone = 0
    try {
      gone = contents.letGo(startOfDay(timezone, dayAt(timezone, now()) - rules.keep))
    } catch (cause) {
      warn('Old content could not be deleted; it will be tried again.', { told: String(cause) })
    }
    timer = setTimeout(tidy, gone > 0 ? PAUSE_MS : EVERY_MS)
    timer.unref()
  }
  timer = setTimeout(tidy, PAUSE_MS)
  timer.unref()
  return {
    most: rules.most,
    hearsNo: rules.hearsNo,
    isWanted: ({ team, project }: Payer, metadata) =>
      !rules.never && (rules.all || asks(metadata) || of('team', team) || of('project', project)),
    keep: (content) => {
      if (waiting.length >= MOST_WAITING) {
        lost++
        return
      }
      waiting.push(content)
      soon ??= setTimeout(flush, PAUSE_MS)
    },
    stop: () => {
      clearTimeout(timer)
      clearTimeout(soon)
      flush()
    },
  }
}
