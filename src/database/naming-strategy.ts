import { DefaultNamingStrategy } from 'typeorm';

/**
 * A column is called what its property is called, a join column `relation_id`; constraints say their table and columns.
 */
export class NamingStrategy extends DefaultNamingStrategy {
  override joinColumnName(relation: string, referenced: string): string {
    return `${relation}_${referenced}`;
  }

  override primaryKeyName(table: unknown): string {
    return `${this.name(table)}_pkey`;
  }

  override uniqueConstraintName(table: unknown, columns: string[]): string {
    return `${this.name(table)}_${columns.join('_')}_key`;
  }

  override foreignKeyName(table: unknown, columns: string[]): string {
    return `${this.name(table)}_${columns.join('_')}_fkey`;
  }

  override indexName(table: unknown, columns: string[]): string {
    return `${this.name(table)}_${columns.join('_')}_idx`;
  }

  private name(table: unknown): string {
    const full = typeof table === 'string' ? table : (table as { name: string }).name;
    return full.split('.').pop()!;
  }
}
