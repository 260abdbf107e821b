export const ROLES = ['admin', 'manager', 'reception', 'accountant', 'trainer', 'user'] as const;
export type Role = (typeof ROLES)[number];

export const STAFF = ['admin', 'manager', 'reception', 'accountant', 'trainer'] as const satisfies readonly Role[];

/** The staff at the front desk. */
export const DESK = ['admin', 'manager', 'reception', 'trainer'] as const satisfies readonly Role[];
export const DESK_AND_MEMBERS = [...DESK, 'user'] as const satisfies readonly Role[];
/** The staff that hand out passes. */
export const RECEPTION = ['admin', 'manager', 'reception'] as const satisfies readonly Role[];
export const RECEPTION_AND_MEMBERS = [...RECEPTION, 'user'] as const satisfies readonly Role[];
export const MANAGERS = ['admin', 'manager'] as const satisfies readonly Role[];
