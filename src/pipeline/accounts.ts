/** The accounts that an attempt has to pass: those of its payer and the gateway's, and those of the target it is sent to. */
import { allows } from '../core/key.ts'
import type { Account } from '../core/ledger.ts'
import { unpricedModel } from '../core/plan.ts'
import { GATEWAY, type Payer, scopesOfPayer, scopesOfTarget } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { payerOf } from './payer.ts'

/** Most requests name neither customer nor tags, and have the payer of their key. */
const scopesOf = new WeakMap<Payer, readonly string[]>()
const scopesAt = new WeakMap<Target, readonly string[]>()

function remembered<K extends object>(known: WeakMap<K, readonly string[]>, it: K, make: (it: K) => string[]) {
  let scopes = known.get(it)
  if (!scopes) {
    scopes = make(it)
    known.set(it, scopes)
  }
  return scopes
}

/**
 * Says who pays for a call, whatever target it will be sent to.
 * @throws Refusal blocked_api_key where one of them is blocked
 */
export function charge(call: Call, io: Io): void {
  call.payer = payerOf(call, io)
  io.payers.check(call.payer)
}

/**
 * The accounts of one attempt at `target`, as they stand now: budgets may change while a request waits or fails over,
 * and what it takes has to count in those that there are then.
 */
export function accountsAt(call: Call, io: Io, target: Target, payer = call.payer): readonly Account[] {
  const accounts: Account[] = []
  for (const scope of remembered(scopesOf, payer, (one) => [...scopesOfPayer(one), GATEWAY]))
    gather(accounts, io, scope, target)
  for (const scope of remembered(scopesAt, target, scopesOfTarget)) gather(accounts, io, scope, target)
  return accounts
}

function gather(accounts: Account[], io: Io, scope: string, { alias }: Target): void {
  for (const account of io.ledger.accounts(scope, io.payers.budgets(scope))) {
    const { model } = account.budget
    if (model === undefined || allows([model], alias)) accounts.push(account)
  }
}

/** @throws Refusal unpriced_model where an account has a limit and nobody knows what the target costs */
export function mustBePriced(call: Call, target: Pick<Target, 'alias' | 'price'>, accounts: readonly Account[]): void {
  if (target.price.kind === 'unknown' && call.snapshot.policy.unpriced === 'refuse' && accounts.some(isHard))
    throw unpricedModel(target.alias)
}

/** Whether an account can refuse anybody. */
const isHard = (account: Account): boolean => account.mode !== 'soft' && account.limit !== Number.POSITIVE_INFINITY
