import { z } from 'zod'

/** A person as the service knows them: a name or an account id. */
export const personSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)

/** A release domain, or whatever else tells two keys of a purpose apart. */
export const domainSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/)
