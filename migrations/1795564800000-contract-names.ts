import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Columns are called what the contract calls them; what the contract has and the tables had not. */
export class ContractNames1795564800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE products RENAME COLUMN stock TO quantity;
      ALTER TABLE products RENAME CONSTRAINT products_stock_check TO products_quantity_check;
      ALTER TABLE stock_movements RENAME COLUMN stock_after TO quantity_after;

      ALTER TABLE measurements RENAME COLUMN measured_at TO measurement_date;
      ALTER TABLE measurements RENAME COLUMN measured_by_id TO recorded_by_id;
      ALTER TABLE measurements RENAME CONSTRAINT measurements_measured_by_id_fkey TO measurements_recorded_by_id_fkey;
      ALTER INDEX measurements_measured_at_idx RENAME TO measurements_measurement_date_idx;

      ALTER TABLE attendance RENAME COLUMN checked_in_by_id TO recorded_by_id;
      ALTER TABLE attendance RENAME CONSTRAINT attendance_checked_in_by_id_fkey TO attendance_recorded_by_id_fkey;

      ALTER TABLE sales ADD COLUMN sale_date timestamptz(3) NOT NULL DEFAULT now();
      UPDATE sales SET sale_date = created_at;
      DROP INDEX sales_gym_id_created_at_idx, sales_created_at_idx, sales_sold_by_id_idx, sales_product_id_idx;
      CREATE INDEX sales_gym_id_sale_date_idx ON sales (gym_id, sale_date, id);
      CREATE INDEX sales_sale_date_idx ON sales (sale_date, id);
      CREATE INDEX sales_sold_by_id_idx ON sales (sold_by_id, sale_date, id);
      CREATE INDEX sales_product_id_idx ON sales (product_id, sale_date, id);

      ALTER TABLE user_plans RENAME COLUMN sold_by_id TO created_by_id;
      ALTER TABLE user_plans RENAME CONSTRAINT user_plans_sold_by_id_fkey TO user_plans_created_by_id_fkey;
      ALTER TABLE user_plans ADD COLUMN purchased_at timestamptz(3) NOT NULL DEFAULT now();
      UPDATE user_plans SET purchased_at = created_at;
      ALTER TABLE user_plans ADD COLUMN replaced_by_id integer
        CONSTRAINT user_plans_replaced_by_id_fkey REFERENCES user_plans (id) ON DELETE SET NULL;
      CREATE INDEX user_plans_replaced_by_id_idx ON user_plans (replaced_by_id) WHERE replaced_by_id IS NOT NULL;

      ALTER TABLE users ADD COLUMN language text NOT NULL DEFAULT 'en'
        CONSTRAINT users_language_check CHECK (language IN ('en', 'es', 'ar'));
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE users DROP COLUMN language;

      DROP INDEX user_plans_replaced_by_id_idx;
      ALTER TABLE user_plans DROP COLUMN replaced_by_id, DROP COLUMN purchased_at;
      ALTER TABLE user_plans RENAME CONSTRAINT user_plans_created_by_id_fkey TO user_plans_sold_by_id_fkey;
      ALTER TABLE user_plans RENAME COLUMN created_by_id TO sold_by_id;

      DROP INDEX sales_gym_id_sale_date_idx, sales_sale_date_idx, sales_sold_by_id_idx, sales_product_id_idx;
      ALTER TABLE sales DROP COLUMN sale_date;
      CREATE INDEX sales_gym_id_created_at_idx ON sales (gym_id, created_at, id);
      CREATE INDEX sales_created_at_idx ON sales (created_at, id);
      CREATE INDEX sales_sold_by_id_idx ON sales (sold_by_id, created_at, id);
      CREATE INDEX sales_product_id_idx ON sales (product_id, created_at, id);

      ALTER TABLE attendance RENAME CONSTRAINT attendance_recorded_by_id_fkey TO attendance_checked_in_by_id_fkey;
      ALTER TABLE attendance RENAME COLUMN recorded_by_id TO checked_in_by_id;

      ALTER INDEX measurements_measurement_date_idx RENAME TO measurements_measured_at_idx;
      ALTER TABLE measurements RENAME CONSTRAINT measurements_recorded_by_id_fkey TO measurements_measured_by_id_fkey;
      ALTER TABLE measurements RENAME COLUMN recorded_by_id TO measured_by_id;
      ALTER TABLE measurements RENAME COLUMN measurement_date TO measured_at;

      ALTER TABLE stock_movements RENAME COLUMN quantity_after TO stock_after;
      ALTER TABLE products RENAME CONSTRAINT products_quantity_check TO products_stock_check;
      ALTER TABLE products RENAME COLUMN quantity TO stock;
    `);
  }
}
