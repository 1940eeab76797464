/** A route that manages somebody who pays, or his members. */
import type { Reach } from './reach.ts'

type Json = Record<string, unknown>

export interface HolderRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  handle(asked: { query: URLSearchParams; body: Json; reach: Reach }): Answer
}

/** What is told, and how many more there are to a list. */
export interface Answer {
  body: unknown
  total?: number
  /** Number of the next page of a list that has one. */
  next?: number | undefined
}
