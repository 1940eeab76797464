/** The doors of files and batches: the way that all of them go, and which step each takes. */
import { NO_USAGE } from '../../core/usage.ts'
import { dialects } from '../../dialects/index.ts'
import { charge } from '../accounts.ts'
import { authenticate } from '../authenticate.ts'
import { Call } from '../call.ts'
import { conclude } from '../conclude.ts'
import type { Door } from '../io.ts'
import { limit } from '../limit.ts'
import { refuse } from '../refuse.ts'
import { cancelBatch, createBatch, getBatch } from './batches.ts'
import { createFile, deleteFile, getFile, readContent } from './files.ts'
import { list } from './list.ts'
import type { Step } from './step.ts'

const STEPS = {
  'file.create': ['acreate_file', createFile],
  'file.list': ['afile_list', list('file')],
  'file.get': ['afile_retrieve', getFile],
  'file.content': ['afile_content', readContent],
  'file.delete': ['afile_delete', deleteFile],
  'batch.create': ['acreate_batch', createBatch],
  'batch.list': ['alist_batches', list('batch')],
  'batch.get': ['aretrieve_batch', getBatch],
  'batch.cancel': ['acancel_batch', cancelBatch],
} as const satisfies Record<string, readonly [call: string, step: Step]>

export type Kept = keyof typeof STEPS

/** @param id of the file or batch, where the path names one */
export function keptDoor(what: Kept, id: string | undefined): Door {
  const [name, step] = STEPS[what]
  return {
    dialect: dialects['openai-chat'],
    call: name,
    other: async (io, request, door) => {
      const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot())
      try {
        await authenticate(call, io)
        charge(call, io)
        await limit(call, io, 'other')
        const {
          body,
          status = 200,
          contentType = 'application/json',
          usage = NO_USAGE,
          cost = 0,
          stream,
        } = await step(call, io, id ?? '')
        const headers = { 'content-type': contentType, 'x-request-id': call.id, 'x-litellm-call-id': call.id }
        // A stream ends the call itself, when it has gone.
        if (stream) return new Response(stream, { status, headers })
        conclude(call, io, status, status < 400 ? 'ok' : 'caller', usage, cost)
        return new Response(JSON.stringify(body), { status, headers })
      } catch (cause) {
        return refuse(call, io, cause)
      }
    },
  }
}
