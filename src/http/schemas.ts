/** Schemas that several routes share. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Caller } from '../core/grants.ts'
import { problemSchema } from './problems.ts'

export const idSchema = z.uuid()
/** A project's id or name. */
export const projectNameSchema = z.string().regex(/^[a-z0-9-]{1,63}$/)
export const timeSchema = z.iso.datetime()
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

/** The responses that every route may give beside its own. */
export const problems = { '4xx': problemSchema, '5xx': problemSchema }

/** The caller of a request on a route that is not open. */
export function requireCaller(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error('a route that needs its caller is marked as open')
  return request.caller
}
