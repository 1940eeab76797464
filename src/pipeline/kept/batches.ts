/** Batches: made of a file of the caller's own, for a model he may use, and charged when their end is first seen. */
import { plan as decide } from '../../core/plan.ts'
import { Refusal } from '../../core/refusal.ts'
import { spokenScope } from '../../core/scope.ts'
import type { Target } from '../../core/target.ts'
import type { Json } from '../../dialects/canonical.ts'
import { isObject } from '../../dialects/wire.ts'
import { accessOf } from '../access.ts'
import { accountsAt, mustBePriced } from '../accounts.ts'
import type { Call } from '../call.ts'
import type { Io } from '../io.ts'
import { ownPrice } from '../price.ts'
import { receiveBytes } from '../receive.ts'
import { mayGoUnseen } from '../whose-guards.ts'
import { isOver, settleBatch } from './settle.ts'
import { fetchFrom, mine, objectIn, placeOf, remember, type Step, targetOf } from './step.ts'

export const createBatch: Step = async (call, io) => {
  await receiveBytes(call, io)
  const { model: _m, target_model: _t, target_model_names: _n, ...body } = parse(call.bytes)
  const { input_file_id: fileId } = body
  if (typeof fileId !== 'string')
    throw new Refusal('invalid_request', "'input_file_id' is missing.", { param: 'input_file_id' })
  const file = mine(call, io, 'file', fileId)
  if (file.alias === undefined)
    throw new Refusal('invalid_request', "The input of a batch must have been uploaded with purpose 'batch'.", {
      param: 'input_file_id',
    })
  call.peek = { ...call.peek, model: file.alias }
  mayGoUnseen(call, io, 'batches', 'Send them as requests of their own.')
  const target = targetOf(call, file)
  mayStart(call, io, file.alias, target)
  const link = io.link(target)
  const made = await objectIn(
    await fetchFrom(call, io, link, {
      method: 'POST',
      url: placeOf(link, 'batch'),
      body: Buffer.from(JSON.stringify(body)),
    }),
  )
  remember(call, io, { kind: 'batch', target: target.id, alias: file.alias }, made)
  return { body: made }
}

/** What the caller may use and can pay now, not when the file came. @throws Refusal */
function mayStart(call: Call, io: Io, alias: string, target: Target): void {
  const stages = decide(call.snapshot, alias, accessOf(call, io))
  const isIn = stages.some((stage) => stage.targets.some(({ id }) => id === target.id))
  if (!isIn)
    throw new Refusal(
      'model_not_found',
      `'${alias}' has moved to another target since the file was uploaded. Upload it again.`,
    )
  const accounts = accountsAt(call, io, target)
  mustBePriced(call, { alias, price: ownPrice(call, { ...target, alias }) }, accounts)
  const empty = accounts.find((account) => account.mode !== 'soft' && account.limit - account.spent <= 0)
  if (!empty) return
  throw new Refusal(
    'budget_exceeded',
    `Budget has been exceeded! Nothing is left of the budget of ${spokenScope(empty.scope)}, so no batch can be started.`,
    {
      status: call.snapshot.policy.budgetStatus,
      facts: { scope: empty.scope, max_budget: empty.limit / 1e9, spent: empty.spent / 1e9 },
    },
  )
}

export const getBatch: Step = async (call, io, id) => {
  const thing = mine(call, io, 'batch', id)
  const target = targetOf(call, thing)
  const link = io.link(target)
  const facts = await objectIn(await fetchFrom(call, io, link, { method: 'GET', url: placeOf(link, 'batch', id) }))
  // First the charge, then the results: what cannot be charged yet cannot be read yet.
  const charged = isOver(facts) ? await settleBatch(call, io, link, thing, facts) : undefined
  seen(call, io, thing, facts)
  return { body: facts, ...charged }
}

export const cancelBatch: Step = async (call, io, id) => {
  const thing = mine(call, io, 'batch', id)
  const link = io.link(targetOf(call, thing))
  const url = placeOf(link, 'batch', id, 'cancel')
  const facts = await objectIn(await fetchFrom(call, io, link, { method: 'POST', url, body: Buffer.from('{}') }))
  seen(call, io, thing, isOver(facts) ? { ...facts, output_file_id: null, error_file_id: null } : facts)
  return { body: facts }
}

/** What a batch has made belongs to whom the batch belongs to. */
function seen(call: Call, io: Io, thing: ReturnType<typeof mine>, facts: Json & { id: string }): void {
  remember(call, io, thing, { ...facts, id: thing.id })
  for (const id of [facts.output_file_id, facts.error_file_id])
    if (typeof id === 'string' && io.belongings.get(thing.owner, 'file', id) === undefined)
      remember(
        call,
        io,
        { kind: 'file', target: thing.target, alias: undefined },
        { id, object: 'file', purpose: 'batch_output' },
      )
}

function parse(bytes: Uint8Array): Json {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isObject(json)) return json
  } catch {}
  throw new Refusal('invalid_json', 'The request body is not a JSON object.')
}
