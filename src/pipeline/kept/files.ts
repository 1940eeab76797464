/** Files that callers keep at a provider. */
import { isGranted, mayName } from '../../core/access.ts'
import { plan as decide } from '../../core/plan.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Alias, Target } from '../../core/target.ts'
import { NO_USAGE } from '../../core/usage.ts'
import { modelOfBatch, withModel } from '../../dialects/batch-lines.ts'
import { type FormPart, fieldOf, isForm, readForm } from '../../dialects/multipart.ts'
import { keepers } from '../../upstream/registry.ts'
import { accessOf } from '../access.ts'
import type { Call } from '../call.ts'
import { conclude } from '../conclude.ts'
import type { Io } from '../io.ts'
import { receiveBytes } from '../receive.ts'
import { mayGoUnseen } from '../whose-guards.ts'
import { fetchFrom, mine, objectIn, placeOf, remember, type Step, targetOf } from './step.ts'

/** Fields of ours: they choose the target and mean nothing to the provider. */
const OURS = ['model', 'target_model', 'target_model_names']

const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The model that a request names beside its body. */
export function modelBeside(call: Call): string | undefined {
  const query = new URL(call.request.url).searchParams
  return query.get('model') ?? query.get('target_model') ?? call.request.headers.get('x-litellm-model') ?? undefined
}

/**
 * The first target that keeps files (or runs batches), of the model that is named, or of all that this caller may use.
 * @throws Refusal
 */
function chooseKeeper(call: Call, io: Io, model: string | undefined, place: 'files' | 'batches'): Target {
  const access = accessOf(call, io)
  const { snapshot } = call
  const keeps = (t: Target) => io.link(t).place('files') !== undefined && io.link(t).place(place) !== undefined
  const mayUse = ({ name, grant }: Alias) => mayName(access, name) && isGranted(access, grant)
  const targets =
    model === undefined
      ? [...snapshot.aliases.values(), ...snapshot.wildcards].filter(mayUse).flatMap((a) => a.targets)
      : decide(snapshot, model, access).flatMap((stage) => stage.targets)
  const found = targets.find(keeps)
  if (found) return found
  const they = place === 'files' ? 'keeps files' : 'runs batches'
  throw new Refusal(
    'invalid_request',
    `${
      model === undefined
        ? `No model that this API key may use has a provider that ${they}.`
        : `No provider of '${model.slice(0, 200)}' ${they}.`
    } Name a model of one that does: ${keepers(place).join(', ')}.`,
    { param: 'model' },
  )
}

export const createFile: Step = async (call, io) => {
  await receiveBytes(call, io)
  const contentType = call.request.headers.get('content-type')
  if (!isForm(contentType))
    throw new Refusal('invalid_request', "Send a form (multipart/form-data) with 'file' and 'purpose'.", {
      param: 'file',
    })
  const parts = readForm(call.bytes, contentType)
  const file = parts.find((p) => p.name === 'file' && p.filename !== undefined)
  const purpose = fieldOf(call.bytes, parts, 'purpose')
  if (!file || !purpose)
    throw new Refusal('invalid_request', `'${file ? 'purpose' : 'file'}' is missing.`, {
      param: file ? 'purpose' : 'file',
    })
  const named = OURS.map((name) => fieldOf(call.bytes, parts, name)).find(Boolean) ?? modelBeside(call)
  let content = call.bytes.subarray(file.start, file.end)
  // What a batch asks is checked here: nobody looks into it again.
  const asked = purpose === 'batch' ? await modelOfBatch(content, rest) : undefined
  const alias = named ?? asked
  call.peek = { ...call.peek, model: alias ?? '' }
  mayGoUnseen(call, io, 'files', 'Send their text in requests of their own.')
  const target = chooseKeeper(call, io, alias, asked === undefined ? 'files' : 'batches')
  if (asked !== undefined && asked !== named && named !== undefined && asked !== target.model)
    throw new Refusal('invalid_request', `The form names the model '${named}', the lines of the file '${asked}'.`, {
      param: 'model',
    })
  if (asked !== undefined && asked !== target.model) content = await withModel(content, target.model, rest)
  const link = io.link(target)
  const form = writeForm(
    call.bytes,
    parts.filter((p) => !OURS.includes(p.name)),
    file,
    content,
  )
  const made = await objectIn(
    await fetchFrom(call, io, link, {
      method: 'POST',
      url: placeOf(link, 'file'),
      body: form.body,
      contentType: form.type,
    }),
  )
  remember(
    call,
    io,
    { kind: 'file', target: target.id, alias: asked === undefined ? undefined : (named ?? asked) },
    made,
  )
  return { body: made }
}

/** The form anew, with other content in its file and under a boundary of our own. */
function writeForm(bytes: Uint8Array, parts: readonly FormPart[], file: FormPart, content: Uint8Array) {
  const boundary = `tollgate-${crypto.randomUUID()}`
  const tidy = (text: string) => text.replace(/["\r\n]/g, '_')
  const out: Uint8Array[] = []
  for (const part of parts) {
    const name =
      part.filename === undefined ? '' : `; filename="${tidy(part.filename)}"\r\nContent-Type: application/octet-stream`
    out.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${tidy(part.name)}"${name}\r\n\r\n`))
    out.push(part === file ? content : bytes.subarray(part.start, part.end), Buffer.from('\r\n'))
  }
  out.push(Buffer.from(`--${boundary}--\r\n`))
  return { body: Buffer.concat(out) as Uint8Array, type: `multipart/form-data; boundary=${boundary}` }
}

export const getFile: Step = async (call, io, id) => {
  const thing = mine(call, io, 'file', id)
  const link = io.link(targetOf(call, thing))
  const facts = await objectIn(await fetchFrom(call, io, link, { method: 'GET', url: placeOf(link, 'file', id) }))
  remember(call, io, thing, { ...facts, id })
  return { body: facts }
}

export const deleteFile: Step = async (call, io, id) => {
  const thing = mine(call, io, 'file', id)
  const link = io.link(targetOf(call, thing))
  await fetchFrom(call, io, link, { method: 'DELETE', url: placeOf(link, 'file', id) }).then(
    (response) => response.body?.cancel(),
    (cause) => {
      // It is gone there already: then it is gone here, too.
      if (!(cause instanceof Refusal) || cause.code !== 'not_found') throw cause
    },
  )
  io.belongings.delete(thing.owner, 'file', id)
  return { body: { id, object: 'file', deleted: true } }
}

export const readContent: Step = async (call, io, id) => {
  const thing = mine(call, io, 'file', id)
  const link = io.link(targetOf(call, thing))
  const abort = new AbortController()
  const response = await fetchFrom(call, io, link, { method: 'GET', url: placeOf(link, 'file', id, 'content'), abort })
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream'
  return { contentType, stream: passing(call, io, response, abort, link.target.timeouts.idle) }
}

/** The bytes as they come, as fast as the caller takes them; the call ends with them. A silent provider is given up. */
function passing(
  call: Call,
  io: Io,
  response: Response,
  abort: AbortController,
  idleMs: number,
): ReadableStream<Uint8Array> {
  const reader = (response.body ?? new Blob([]).stream()).getReader() as ReadableStreamDefaultReader<Uint8Array>
  const silence = io.deadlines.arm(Number.POSITIVE_INFINITY, () => abort.abort())
  const { leaving } = call
  let revoke = () => {}
  const onLeave = () => {
    if (leaving.revoked) revoke()
  }
  leaving.addEventListener('abort', onLeave, { once: true })
  const end = (outcome: string) => {
    leaving.removeEventListener('abort', onLeave)
    io.deadlines.disarm(silence)
    conclude(call, io, 200, outcome, NO_USAGE, 0)
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Bytes without frames have no words for it: the connection is cut, so that the file does not look whole.
        revoke = () => {
          end('revoked')
          controller.error(leaving.revoked)
          abort.abort()
        }
        onLeave()
      },
      async pull(controller) {
        silence.at = io.now() + idleMs
        try {
          const { done, value } = await reader.read()
          silence.at = Number.POSITIVE_INFINITY
          if (!done) return controller.enqueue(value)
          end('ok')
          controller.close()
        } catch (cause) {
          end('unreachable')
          controller.error(cause)
        }
      },
      cancel() {
        end('aborted')
        abort.abort()
      },
    },
    { highWaterMark: 0 },
  )
}
