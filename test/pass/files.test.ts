/** Files and batches by the official client: each key sees its own, each thing stays at its target, each batch is charged once. */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import OpenAI, { toFile } from 'openai'
import { type Seen, startUpstream, startWorld } from './world.ts'

interface Kept {
  object: Record<string, unknown>
  content: string
}

/** A provider's files and batches, as platform.openai.com documents them. */
function startKeeper(prefix: string) {
  const upstream = startUpstream()
  const files = new Map<string, Kept>()
  const batches = new Map<string, Record<string, unknown>>()
  const none = () =>
    Response.json({ error: { message: 'No such thing', type: 'invalid_request_error' } }, { status: 404 })
  upstream.answer = async (seen: Seen) => {
    const [, , kind, id, more] = seen.path.split('/')
    if (kind === 'files' && seen.method === 'POST') {
      const form = await new Response(Buffer.from(seen.body, 'latin1'), {
        headers: { 'content-type': seen.headers.get('content-type') ?? '' },
      }).formData()
      const file = form.get('file') as File
      const made = {
        id: `file-${prefix}${files.size}`,
        object: 'file',
        bytes: file.size,
        created_at: 1,
        filename: file.name,
        purpose: form.get('purpose'),
        fields: [...form.keys()],
      }
      files.set(made.id, { object: made, content: Buffer.from(await file.arrayBuffer()).toString('latin1') })
      return Response.json(made)
    }
    if (kind === 'files') {
      const file = files.get(id ?? '')
      if (!file) return none()
      if (more === 'content')
        return new Response(Buffer.from(file.content, 'latin1'), {
          headers: { 'content-type': 'application/octet-stream' },
        })
      if (seen.method === 'DELETE') files.delete(id ?? '')
      return Response.json(file.object)
    }
    if (kind === 'batches' && seen.method === 'POST' && !more) {
      const asked = JSON.parse(seen.body) as Record<string, unknown>
      const made = { ...asked, id: `batch_${prefix}${batches.size}`, object: 'batch', status: 'in_progress' }
      batches.set(made.id, made)
      return Response.json(made)
    }
    const batch = batches.get(id ?? '')
    if (!batch) return none()
    if (more === 'cancel') batch.status = 'cancelling'
    return Response.json(batch)
  }
  return { upstream, files, batches }
}

const one = startKeeper('a')
const two = startKeeper('b')
const model = (name: string, port: number, more: object) => ({
  model_name: name,
  litellm_params: { model: `openai/real-${name}`, api_base: `http://127.0.0.1:${port}/v1`, api_key: 'sk-up', ...more },
})
const PRICED = { input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 }
const world = await startWorld({
  yaml: {
    model_list: [
      { model_name: 'local', litellm_params: { model: 'ollama/m' } },
      model('first', one.upstream.port, PRICED),
      model('second', two.upstream.port, PRICED),
      model('dark', two.upstream.port, {}),
    ],
  },
})
const a = await world.key({ max_budget: 1 })
const b = await world.key()
const clientOf = (key: string) => new OpenAI({ baseURL: `${world.gateway.url}/v1`, apiKey: key, maxRetries: 0 })
const [ann, bob] = [clientOf(a.key), clientOf(b.key)]
const line = (name: string) =>
  `${JSON.stringify({ custom_id: 'r', method: 'POST', url: '/v1/chat/completions', body: { model: name, messages: [] } })}\n`
const input = (name: string, lines = 2) => toFile(Buffer.from(line(name).repeat(lines)), 'in.jsonl')
const failed = (promise: PromiseLike<unknown>) =>
  Promise.resolve(promise).then(
    () => undefined,
    (e: { status: number; code?: string }) => ({ status: e.status, code: e.code }),
  )
beforeEach(() => {
  one.upstream.seen = []
  two.upstream.seen = []
})
afterAll(async () => {
  await world.gateway.stop()
  await one.upstream.stop()
  await two.upstream.stop()
})

test('a file goes up, is read, listed and deleted, byte for byte', async () => {
  const noise = new Uint8Array(300_000).map((_, i) => (i * 7919) % 256)
  const made = await ann.files.create({ file: await toFile(noise, 'ä "x".bin'), purpose: 'user_data' })
  expect(made.id).toMatch(/^file-a/)
  expect(made.bytes).toBe(300_000)
  expect(one.upstream.seen[0]?.headers.get('authorization')).toBe('Bearer sk-up')
  expect((await ann.files.retrieve(made.id)).id).toBe(made.id)
  const content = await ann.files.content(made.id)
  expect(new Uint8Array(await content.arrayBuffer())).toEqual(noise)
  expect((await ann.files.list()).data.map((f) => f.id)).toContain(made.id)
  expect(await ann.files.delete(made.id)).toMatchObject({ id: made.id, deleted: true })
  expect(one.files.has(made.id)).toBe(false)
  expect((await ann.files.list()).data.map((f) => f.id)).not.toContain(made.id)
  expect(await failed(ann.files.retrieve(made.id))).toMatchObject({ status: 404 })
})

test("one key never sees, reads, deletes or uses another's", async () => {
  const file = await ann.files.create({ file: await input('first'), purpose: 'batch' })
  const batch = await ann.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  })
  one.upstream.seen = []
  const master = clientOf(world.gateway.masterKey)
  for (const other of [bob, master]) {
    // One by one: a refusal that nobody waits for yet would be taken for an error of the test.
    for (const tried of [
      () => other.files.retrieve(file.id),
      () => other.files.content(file.id),
      () => other.files.delete(file.id),
      () => other.batches.retrieve(batch.id),
      () => other.batches.cancel(batch.id),
      () =>
        other.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }),
    ])
      expect(await failed(tried())).toMatchObject({ status: 404 })
    expect((await other.files.list()).data).toEqual([])
    expect((await other.batches.list()).data).toEqual([])
  }
  for (const id of ['..', '%2e%2e%2fbatches', 'file-a0%2fcontent', 'a b', "' OR 1=1 --"])
    expect([id, (await b('GET', `/v1/files/${encodeURIComponent(id)}`)).status]).toEqual([id, 404])
  expect(one.upstream.seen).toEqual([])
  expect((await fetch(`${world.gateway.url}/v1/files`)).status).toBe(401)
})

test('the target is chosen by field, query or header, and later calls go there', async () => {
  const form = (fields: Record<string, string>) => {
    const made = new FormData()
    for (const [name, value] of Object.entries({ purpose: 'user_data', ...fields })) made.set(name, value)
    made.set('file', new File(['x'], 'x.txt'))
    return made
  }
  const post = (path: string, body: FormData, headers = {}) => b('POST', path, body, headers)
  for (const reply of [
    await post('/v1/files', form({ model: 'second' })),
    await post('/v1/files', form({ target_model: 'second' })),
    await post('/v1/files?model=second', form({})),
    await post('/files', form({}), { 'x-litellm-model': 'second' }),
  ]) {
    const made = (await reply.json()) as { id: string; fields: string[] }
    expect(made.id).toMatch(/^file-b/)
    expect(made.fields).toEqual(['purpose', 'file'])
    expect((await bob.files.retrieve(made.id)).id).toBe(made.id)
  }
  expect(one.upstream.seen).toEqual([])
  expect((await post('/v1/files', form({ model: 'local' }))).status).toBe(400)
  expect((await post('/v1/files', form({ model: 'nobody' }))).status).toBe(404)
  const few = await world.key({ models: ['second'] })
  expect(await (await few('POST', '/v1/files', form({}))).json()).toMatchObject({
    id: expect.stringMatching(/^file-b/),
  })
  expect((await few('POST', '/v1/files', form({ model: 'first' }))).status).toBe(403)
})

test("the lines of a batch are held to the key's models, and get the provider's name", async () => {
  const file = await bob.files.create({ file: await input('second'), purpose: 'batch' })
  expect(two.files.get(file.id)?.content).toBe(line('real-second').repeat(2))
  const few = clientOf((await world.key({ models: ['second'] })).key)
  expect(await failed(few.files.create({ file: await input('first'), purpose: 'batch' }))).toMatchObject({
    status: 403,
  })
  for (const bad of [
    line('first') + line('second'),
    '{"body":{"model":"first","model":"second"}}',
    'nonsense',
    '',
    '{"body":{}}',
  ])
    expect(
      await failed(few.files.create({ file: await toFile(Buffer.from(bad), 'x'), purpose: 'batch' })),
    ).toMatchObject({
      status: 400,
    })
  const plain = await bob.files.create({ file: await input('first'), purpose: 'user_data' })
  const create = (id: string) =>
    bob.batches.create({ input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' })
  expect(await failed(create(plain.id))).toMatchObject({ status: 400 })
})

const batchOf = async (client: OpenAI, name: string) => {
  const file = await client.files.create({ file: await input(name), purpose: 'batch' })
  return client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' })
}
const charges = async () => (await world.rows(100)).filter((r) => r.call_type === 'abatch')

test('a batch is charged once, at half, when its end is first seen', async () => {
  const batch = await batchOf(ann, 'first')
  expect((await ann.batches.retrieve(batch.id)).status).toBe('in_progress')
  expect(await charges()).toEqual([])
  one.files.set('file-out1', { object: { id: 'file-out1', object: 'file' }, content: 'results' })
  Object.assign(one.batches.get(batch.id) ?? {}, {
    status: 'completed',
    output_file_id: 'file-out1',
    usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
  })
  expect(await failed(ann.files.content('file-out1'))).toMatchObject({ status: 404 })
  const seen = await Promise.all(Array.from({ length: 8 }, () => ann.batches.retrieve(batch.id)))
  expect(seen.map((s) => s.status)).toEqual(Array(8).fill('completed'))
  await ann.batches.retrieve(batch.id)
  expect(await charges()).toMatchObject([
    {
      spend: 0.0006,
      prompt_tokens: 1000,
      completion_tokens: 100,
      usage_source: 'provider',
      api_key: a.token,
      model: 'real-first',
    },
  ])
  expect(await (await ann.files.content('file-out1')).text()).toBe('results')
  expect(await failed(bob.files.content('file-out1'))).toMatchObject({ status: 404 })
  expect((await ann.batches.list()).data.find((x) => x.id === batch.id)?.status).toBe('completed')
  expect(await (await world.gateway.call('GET', '/global/spend')).json()).toMatchObject({ open_holds: 0, held: 0 })
})

test('where the batch reports no usage, its results do', async () => {
  const before = (await charges()).length
  const batch = await batchOf(bob, 'second')
  const result = { response: { body: { usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } } } }
  two.files.set('file-out2', { object: { id: 'file-out2' }, content: `${JSON.stringify(result)}\n`.repeat(3) })
  Object.assign(two.batches.get(batch.id) ?? {}, { status: 'completed', output_file_id: 'file-out2' })
  await bob.batches.retrieve(batch.id)
  const after = await charges()
  expect(after).toHaveLength(before + 1)
  expect(after[0]).toMatchObject({ prompt_tokens: 15, completion_tokens: 21, usage_source: 'provider' })
})

test('who has nothing left, or no price, starts no batch', async () => {
  const poor = clientOf((await world.key({ max_budget: 0 })).key)
  const file = await poor.files.create({ file: await input('first'), purpose: 'user_data' })
  expect(file.id).toMatch(/^file-/)
  const batch = await failed(batchOf(poor, 'first'))
  expect(batch).toMatchObject({ status: 422, code: 'budget_exceeded' })
  expect(await failed(batchOf(ann, 'dark'))).toMatchObject({ status: 403, code: 'unpriced_model' })
  expect((await batchOf(bob, 'dark')).id).toMatch(/^batch_b/)
})

test('a batch is cancelled, and lists page', async () => {
  const batch = await batchOf(bob, 'second')
  expect((await bob.batches.cancel(batch.id)).status).toBe('cancelling')
  const all = (await bob.batches.list({ limit: 100 })).data.map((x) => x.id)
  const paged: string[] = []
  for await (const x of bob.batches.list({ limit: 1 })) paged.push(x.id)
  expect(paged).toEqual(all)
  expect(all.length).toBeGreaterThan(2)
  const oldest = await (await b('GET', '/v1/batches?order=asc&limit=100')).json()
  expect((oldest as { data: { id: string }[] }).data.map((x) => x.id)).toEqual([...all].reverse())
  const purposes = (await bob.files.list({ purpose: 'batch' })).data.map((f) => f.purpose)
  expect(new Set(purposes)).toEqual(new Set(['batch']))
})
