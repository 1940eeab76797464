import { expect, test } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from '../../src/config/load.ts'
import { PROVIDERS } from '../config/providers.ts'
import { folder, tollgate } from './world.ts'

test('check: a right file, a wrong one, and none', async () => {
  const file = join(await folder(), 'a.yaml')
  await writeFile(
    file,
    'model_list: [{ model_name: a, litellm_params: { model: ollama/x } }]\nlitellm_settings: { set_verbose: true }\n',
  )
  expect(await tollgate(['check', file])).toEqual({
    code: 0,
    out: `${file} is right: 1 target, 1 warning`,
    err: `warning: ${file}:2:21 litellm_settings.set_verbose: \`set_verbose\` is known from LiteLLM and not built yet: it has no effect here. Nothing is lost: the log needs no such switch.`,
  })
  await writeFile(file, 'modellist: []\nrouter_settings: { nope: 1 }\n')
  const wrong = await tollgate(['check', '--config', file])
  expect(wrong.code).toBe(1)
  expect(wrong.err.split('\n')).toEqual([
    `error: ${file}:1:1 modellist: nobody knows this key. Did you mean \`model_list\`?`,
    `error: ${file}:2:20 router_settings.nope: nobody knows this key.`,
    `${file}: 2 errors, 0 warnings`,
  ])
  expect((await tollgate(['check'], { TOLLGATE_CONFIG: file })).code).toBe(1)
  const none = await tollgate(['check', `${file}.no`])
  expect([none.code, none.err]).toEqual([1, `${file}.no: there is no such file. \`tollgate init\` writes one.`])
})

test('check: a folder, and what is not text', async () => {
  const at = await folder()
  expect((await tollgate(['check', at])).err).toBe(`${at}: is a folder. Name a YAML file.`)
  await writeFile(join(at, 'b'), new Uint8Array([0xff, 0xfe, 0x00]))
  expect((await tollgate(['check', join(at, 'b')])).err).toBe(`${join(at, 'b')}: is not UTF-8 text.`)
})

test('init writes what is there, so that it loads; and never overwrites', async () => {
  const file = join(await folder(), 'new', 'tollgate.yaml')
  const env = { OPENAI_API_KEY: 'hunter2', LITELLM_MASTER_KEY: 'sk-hunter2hunter2' }
  const probe = async () => ({ ok: true, models: ['mistral:latest'] }) as const
  const done = await tollgate(['init', '--config', file], env, { probe })
  expect([done.code, done.err]).toEqual([0, ''])
  expect(done.out).toContain(`Wrote ${file}. Start with: tollgate serve --config ${file}`)
  const text = await readFile(file, 'utf8')
  expect(text).not.toContain('hunter2')
  const loaded = load(text, env, PROVIDERS)
  expect(loaded).toMatchObject({ ok: true, warnings: [] })
  if (!loaded.ok) throw new Error('checked above')
  expect(loaded.config.models.map((m) => m.alias)).toEqual(['mistral', 'ollama/mistral', 'openai/*'])
  expect(loaded.config.masterKey?.reveal()).toBe('sk-hunter2hunter2')
  const again = await tollgate(['init', '--config', file], env)
  expect([again.code, again.err]).toEqual([
    1,
    `tollgate: ${file} is there already, and is left as it is. Name another with --config.`,
  ])
  expect(await readFile(file, 'utf8')).toBe(text)
})

test('init without anything: the demo, and a file that loads', async () => {
  const file = join(await folder(), 't.yaml')
  expect((await tollgate(['init', '--config', file])).code).toBe(0)
  expect(load(await readFile(file, 'utf8'), {}, PROVIDERS)).toMatchObject({ ok: true, warnings: [] })
})

test('init where nothing can be written', async () => {
  const at = await folder()
  await writeFile(join(at, 'file'), '')
  const file = join(at, 'file', 'x.yaml')
  const { code, err } = await tollgate(['init', '--config', file])
  expect([code, err.startsWith(`tollgate: ${file} can't be written (E`)]).toEqual([1, true])
})
