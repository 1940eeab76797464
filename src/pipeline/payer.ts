/** Who pays for a request: its key with all that the key belongs to, and the customer and the tags that the request names. */

import { Refusal } from '../core/refusal.ts'
import type { Payer } from '../core/scope.ts'
import { readJson } from '../dialects/read-json.ts'
import { isObject } from '../dialects/wire.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** LiteLLM's names for the header that names a customer (litellm/behaviour: end users). */
const CUSTOMER_HEADERS = ['x-litellm-customer-id', 'x-litellm-end-user-id']
const TAGS_HEADER = 'x-litellm-tags'

/** Anthropic's own bound of `metadata.user_id`; names go into the database. */
const LONGEST_CUSTOMER = 256
const LONGEST_TAG = 128
const MOST_TAGS = 20

/** @throws Refusal invalid_request where a customer or a tag is no name */
export function payerOf(call: Call, io: Io): Payer {
  const own = io.payers.of(call.who?.key)
  const { headers } = call.request
  const customer = customerIn(call, headers)
  const tags = tagsIn(call, headers)
  if (customer === undefined && tags.length === 0) return own
  const all = tags.length === 0 ? own.tags : [...new Set([...own.tags, ...tags])].sort()
  if (tags.length > MOST_TAGS)
    throw new Refusal('invalid_request', `A request may have ${MOST_TAGS} tags; this one has ${tags.length}.`, {
      param: 'metadata.tags',
    })
  return { ...own, customer: customer ?? own.customer, tags: all }
}

/** LiteLLM's order: header, `user`, litellm_metadata.user, metadata.user_id, safety_identifier. */
function customerIn(call: Call, headers: Headers): string | undefined {
  for (const name of CUSTOMER_HEADERS) {
    const said = headers.get(name)
    if (said) return asCustomer(said, name)
  }
  const { keys } = call.peek.scan
  if (!keys.has('user') && !keys.has('metadata') && !keys.has('safety_identifier') && !keys.has('litellm_metadata'))
    return undefined
  const places = [
    ['user', valueAt(call, 'user')],
    ['litellm_metadata.user', within(call, 'litellm_metadata', 'user')],
    ['metadata.user_id', within(call, 'metadata', 'user_id')],
    ['safety_identifier', valueAt(call, 'safety_identifier')],
  ] as const
  for (const [name, said] of places) if (typeof said === 'string' && said !== '') return asCustomer(said, name)
  return undefined
}

function asCustomer(said: string, param: string): string {
  if (said.length <= LONGEST_CUSTOMER) return said
  throw new Refusal(
    'invalid_request',
    `A customer's name may have ${LONGEST_CUSTOMER} characters; this one has ${said.length}.`,
    {
      param,
    },
  )
}

/** What a request says of itself in `metadata`; empty where it says nothing. */
export function metadataOf(call: Call): Readonly<Record<string, unknown>> {
  const said = valueAt(call, 'metadata')
  return isObject(said) ? said : {}
}

function tagsIn(call: Call, headers: Headers): string[] {
  const header = headers.get(TAGS_HEADER)
  const { keys } = call.peek.scan
  const lists = [
    header === null ? undefined : header.split(',').map((tag) => tag.trim()),
    keys.has('metadata') ? within(call, 'metadata', 'tags') : undefined,
    keys.has('litellm_metadata') ? within(call, 'litellm_metadata', 'tags') : undefined,
  ]
  const tags: string[] = []
  for (const list of lists)
    for (const tag of Array.isArray(list) ? list : []) {
      if (typeof tag !== 'string' || tag === '') continue
      if (tag.length > LONGEST_TAG)
        throw new Refusal('invalid_request', `A tag may have ${LONGEST_TAG} characters.`, { param: 'metadata.tags' })
      tags.push(tag)
    }
  return tags
}

function valueAt(call: Call, field: string): unknown {
  const span = call.peek.scan.keys.get(field)
  if (!span || (span.kind !== 'string' && span.kind !== 'object')) return undefined
  return readJson(call.bytes.subarray(span.start, span.end))
}

function within(call: Call, field: string, name: string): unknown {
  const value = valueAt(call, field)
  return isObject(value) ? value[name] : undefined
}
