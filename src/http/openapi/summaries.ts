/** A route in a sentence, and the parameters of its query. docs/api.md and the other pages tell more. */

export interface Said {
  summary: string
  query?: readonly string[]
}

const PAGE = ['page', 'size']
const DAYS = ['start_date', 'end_date', 'timezone']
const PARTS = ['api_key', 'team_id', 'user_id', 'customer_id', 'organization_id', 'project_id', 'tag']

/** Under `/v1` and without are one. */
const SAID: Readonly<Record<string, string | readonly [summary: string, ...query: string[]]>> = {
  'GET /': 'Whether it runs',
  'HEAD /': 'Whether it runs',
  'GET /openapi.json': 'This description',
  'POST /chat/completions': "OpenAI's chat",
  'POST /completions': "OpenAI's completions",
  'POST /embeddings': "OpenAI's embeddings",
  'POST /responses': "OpenAI's Responses",
  'GET /responses/:id': 'A response that was kept',
  'DELETE /responses/:id': 'Forget a response',
  'POST /responses/:id/cancel': 'Cancel a response',
  'GET /responses/:id/input_items': ['What a response was asked', 'limit', 'after', 'order'],
  'POST /moderations': 'Moderation',
  'POST /images/generations': 'Draw images',
  'POST /images/edits': 'Change images',
  'POST /images/variations': 'Variations of an image',
  'POST /audio/speech': 'Speak a text',
  'POST /audio/transcriptions': 'Write down what is said',
  'POST /audio/translations': 'Write down what is said, in English',
  'POST /rerank': 'Sort documents by a question',
  'POST /v2/rerank': 'Sort documents by a question (Cohere)',
  'POST /messages': "Anthropic's messages",
  'POST /messages/count_tokens': "Count a prompt's tokens (Anthropic)",
  'POST /openai/deployments/*': "Azure's paths: the model stands in the path",
  'POST /models/*': ["Gemini's actions: `{model}:generateContent` and others", 'alt'],
  'GET /models': 'The models that the caller may use',
  'GET /models/*': 'One model',
  'GET /model/info': ['Models with prices and limits', 'litellm_model_id'],
  'POST /utils/route': ['Which target a request would go to, and why', 'dialect'],
  'POST /files': 'Upload a file',
  'GET /files': ["The key's files", 'purpose', 'limit', 'after', 'order'],
  'GET /files/:id': 'One file',
  'GET /files/:id/content': "A file's content",
  'DELETE /files/:id': 'Delete a file',
  'POST /batches': 'Begin a batch',
  'GET /batches': ["The key's batches", 'limit', 'after'],
  'GET /batches/:id': 'One batch',
  'POST /batches/:id/cancel': 'Cancel a batch',
  'GET /realtime': ["OpenAI's Realtime, by WebSocket", 'model'],
  'GET /login/methods': 'How one can log in here',
  'POST /login': 'Log in by a password, and by a code beside it',
  'POST /login/passkey/options': 'Begin to log in by a passkey',
  'POST /login/passkey': 'Log in by a passkey',
  'POST /onboarding/claim_token': 'Set the password that one was invited to set',
  'GET /sso/start/:id': ['To an identity provider', 'return_to'],
  'GET /sso/callback': ['Back from it', 'code', 'state', 'iss', 'error'],
  'GET /session': 'Who is logged in, with what factors, and the CSRF token',
  'POST /logout': 'End this session',
  'POST /session/verify': 'Show a second factor, or once more that it is you',
  'POST /session/passkey/options': 'Begin to show a passkey',
  'GET /session/list': "One's own sessions",
  'POST /session/revoke': "End one of one's own sessions, or all others",
  'POST /session/password': "Change one's own password",
  'POST /session/totp/new': 'Begin to set up an authenticator app',
  'POST /session/totp/confirm': 'Set it up by its first code',
  'POST /session/totp/delete': 'Take it away',
  'POST /session/passkey/new': 'Begin to register a passkey',
  'POST /session/passkey/confirm': 'Register it',
  'POST /session/passkey/delete': 'Take a passkey away',
  'POST /session/recovery/new': 'New recovery codes; those before are over',
  'POST /user/password': "Set a user's password",
  'POST /user/factors/reset': "Take a user's second factors away",
  'GET /user/sessions': ["A user's sessions", 'user_id'],
  'POST /user/sessions/revoke': "End a user's sessions, or one of them",
  'POST /invitation/new': 'Invite a user to set a password',
  'GET /invitation/info': ['An invitation', 'invitation_id'],
  'POST /invitation/delete': 'Take an invitation back',
  'GET /auth/validate': ['Whether somebody may come in, for proxies that ask first', 'role', 'model'],
  'POST /api/chat': "Ollama's chat",
  'POST /api/generate': "Ollama's generate",
  'POST /api/embed': "Ollama's embeddings",
  'POST /api/embeddings': "Ollama's older embeddings",
  'GET /api/version': "Ollama's version",
  'GET /api/tags': "Ollama's list of models",
  'GET /api/ps': "Ollama's list of loaded models",
  'POST /api/show': 'One model of Ollama',
  'POST /api/pull': 'Bring a model to an Ollama',
  'DELETE /api/delete': "Closed: it is for the machine's operator",
  'POST /api/push': "Closed: it is for the machine's operator",
  'POST /api/create': "Closed: it is for the machine's operator",
  'POST /api/copy': "Closed: it is for the machine's operator",
  'POST /api/blobs/*': "Closed: it is for the machine's operator",
  'HEAD /api/blobs/*': "Closed: it is for the machine's operator",
  'POST /key/generate': 'Make a key; it is shown once',
  'POST /key/update': 'Change a key',
  'POST /key/delete': 'Delete keys',
  'POST /key/service-account/generate': 'Make a key of a team, without a user; it is shown once',
  'POST /key/regenerate': 'Give a key another secret; it is shown once',
  'POST /key/:key/regenerate': 'Give a key another secret; it is shown once',
  'POST /key/rotate': 'Fetch the new secret of the key that asks, where one is due',
  'POST /key/check': 'What secrets are that were found somewhere',
  'GET /key/refused': 'Keys that are still used and no longer let in',
  'POST /key/block': 'Block a key',
  'POST /key/unblock': 'Let a blocked key in again',
  'GET /key/info': ['One key', 'key'],
  'GET /key/list': [
    ...(['Keys', ...PAGE, 'key_alias', 'team_id', 'user_id', 'organization_id', 'project_id', 'key_hash'] as const),
    'return_full_object',
  ],
  'POST /team/member_add': 'Put users into a team',
  'POST /team/member_update': 'Change what a member is in a team',
  'POST /team/member_delete': 'Take a user out of a team, with his keys of it',
  'POST /organization/member_add': 'Put users into an organization',
  'PATCH /organization/member_update': 'Change what a member is in an organization',
  'DELETE /organization/member_delete': 'Take a user out of an organization',
  'GET /provider/budgets': 'How much of each budget of a provider is spent',
  'POST /budget/new': 'Make a budget that many share',
  'POST /budget/update': 'Change a shared budget',
  'POST /budget/info': 'Some shared budgets',
  'POST /budget/delete': 'Delete a shared budget that nobody uses',
  'GET /guardrails/list': 'The guardrails that there are, and when they look',
  'GET /v2/guardrails/list': 'The same',
  'POST /guardrails/test': 'What guardrails say of a text, and what would become of it',
  'POST /guardrails/apply_guardrail': 'A text past one guardrail: as it is, without what was found, or refused',
  'POST /apply_guardrail': 'The same',
  'GET /guardrails/report': 'What guardrails have done since the start, and the time that they took',
  'GET /alerts': 'Alerts that hold and those that are over lately, the rules and the channels',
  'POST /alerts/look': 'Somebody has looked at an alert: what it did is undone, unless it is to stay',
  'POST /alerts/test': 'Send a test to the channels',
  'GET /alerts/silences': 'What is not told for a while',
  'POST /alerts/silences': 'Tell nothing of a rule or a subject for a while',
  'DELETE /alerts/silences/:id': 'Tell of it again',
  'GET /cache/ping': 'Whether the cache of answers can be written and read',
  'POST /cache/delete': 'Forget single answers, by the keys that their hits told',
  'POST /cache/flush': 'Forget all answers, or those of one tenant',
  'POST /cache/flushall': 'The same',
  'GET /cache/report': 'What did not have to be paid since an answer was there already',
  'POST /credentials': 'Keep credentials of a provider under a name, sealed',
  'GET /credentials': 'Which credentials are kept; their secrets are shown to nobody',
  'GET /credentials/by_name/:name': 'One of them',
  'PATCH /credentials/:name': 'Change some of its values: used from the next request on',
  'DELETE /credentials/:name': 'Forget credentials',
  'GET /budget/list': 'All shared budgets',
  'GET /budget/settings': ['The fields of a budget', 'budget_id'],
  'POST /grant/ask': 'Ask for leave to use a model',
  'GET /grant/list': ['Leaves that were asked for', 'key', 'state', ...PAGE],
  'GET /grant/events': ['What was done with leaves', 'id', 'before', 'limit'],
  'POST /grant/approve': 'Give leave',
  'POST /grant/refuse': 'Refuse leave',
  'POST /grant/revoke': 'Take leave away',
  'GET /spend/logs': [
    ...(['Charges, the newest first', ...DAYS.slice(0, 2), ...PARTS, 'model', 'provider', 'status'] as const),
    ...['request_id', 'before', 'limit'],
  ],
  'GET /spend/statement': ['A month of one scope', 'month', 'format', ...PARTS.slice(1)],
  'GET /spend/keys': ['Keys, the dearest first', ...DAYS, 'limit'],
  'GET /spend/users': ['Users, the dearest first', ...DAYS, 'limit'],
  'GET /spend/tags': ['Tags, the dearest first', ...DAYS, 'limit'],
  'GET /status': "How busy it is, as nginx's stub_status: for the machine itself alone",
  'GET /content/:id':
    'What was said and answered in a request, where that was to be kept: for those who are named to read it',
  'POST /privacy/forget': 'Forget a user or a customer: what names him goes, what was spent stays',
  'GET /audit': 'What was done to the gateway: who, what, before and after, newest first',
  'GET /audit/:id': 'One entry of that',
  'GET /audit/key': 'The public key that checkpoints of the audit are signed with, and how far they have come',
  'GET /audit/requests': 'The entries of requests, newest first; by key, user, customer, model, outcome, time',
  'GET /audit/export': 'All entries of a time, as lines of JSON or CEF',
  'GET /global/spend': 'What the whole gateway has spent',
  'GET /global/spend/report': [
    ...(['What was spent, by day and scope', ...DAYS, 'group_by', 'summarize', 'format', ...PARTS] as const),
    ...['model', 'provider'],
  ],
  'GET /backends': 'The machines of the house',
  'GET /health': ['Whether targets answer; asks them', 'model'],
  'GET /health/liveliness': 'Whether the process lives',
  'GET /health/liveness': 'Whether the process lives',
  'GET /health/readiness': 'Whether it can take requests',
}

const STEPS: Readonly<Record<string, string>> = {
  new: 'Make',
  update: 'Change',
  delete: 'Delete',
  info: 'Show',
  block: 'Block',
  unblock: 'Let in again:',
}
const KINDS: Readonly<Record<string, string>> = {
  '/team': 'team',
  '/user': 'user',
  '/customer': 'customer',
  '/end_user': 'customer',
  '/organization': 'organization',
  '/project': 'project',
  '/tag': 'tag',
  '/model/budget': 'budget of a model',
  '/provider/budget': 'budget of a provider',
}
const ID: Readonly<Record<string, string>> = {
  '/team': 'team_id',
  '/user': 'user_id',
  '/customer': 'end_user_id',
  '/end_user': 'end_user_id',
  '/organization': 'organization_id',
  '/project': 'project_id',
  '/model/budget': 'model',
  '/provider/budget': 'provider',
}

/** Undefined: nobody has said yet what this route is for. */
export function saidOf(method: string, path: string): Said | undefined {
  const plain = path.replace(/^\/anthropic\/v1\//, '/v1/').replace(/^\/v1(beta|alpha)?\//, '/')
  const said = SAID[`${method} ${path}`] ?? SAID[`${method} ${plain}`]
  if (typeof said === 'string') return { summary: said }
  if (said) return { summary: said[0], query: said.slice(1) }
  const daily = /^(\/\w+)\/daily\/activity$/.exec(path)?.[1]
  if (daily) {
    const query = [...DAYS, 'page', 'page_size', 'format', 'model', 'api_key', `${daily.slice(1)}_ids`]
    return { summary: `What was spent by day, by ${KINDS[daily] ?? daily}`, query }
  }
  const [, base = '', step = ''] = /^(.+)\/(\w+)$/.exec(path) ?? []
  const kind = KINDS[base]
  if (kind === undefined) return undefined
  if (step === 'list') {
    const query = ['page', 'page_size', 'organization_id', 'team_id']
    return { summary: `All: ${kind}`, query }
  }
  const verb = STEPS[step]
  if (verb === undefined) return undefined
  return {
    summary: `${verb} a ${kind}`,
    ...(step === 'info' && method === 'GET' ? { query: [ID[base] as string] } : {}),
  }
}
