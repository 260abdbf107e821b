import type pg from 'pg';
import { DAY, MINUTE } from './demo-clock.js';
import type { Demo } from './demo-people.js';
import type { Visit } from './demo-visits.js';
import { Random } from './random.js';
import { insert, type Row } from './rows.js';

interface Product extends Row {
  price: number;
  quantity: number;
}

/** Name, description, price, how often it is asked for, and how many there are after a delivery. */
const PRODUCTS: [name: string, description: string, price: number, demand: number, full: number][] = [
  ['Isotonic drink 0.5 l', 'Lemon', 2.5, 9, 96],
  ['Water 0.5 l', 'Still', 1.2, 12, 144],
  ['Energy drink 0.25 l', 'Sugar-free', 2.2, 5, 60],
  ['Protein bar', 'Chocolate, 60 g', 2.9, 8, 96],
  ['Protein shake', 'Vanilla, ready to drink', 3.8, 6, 72],
  ['Whey protein 1 kg', 'Strawberry', 29.9, 1, 14],
  ['Towel', '50 × 100 cm', 9.9, 1, 20],
  ['Padlock', 'For the lockers', 6.5, 1, 20],
  ['Shaker 0.7 l', 'Black', 7.9, 1, 12],
  ['Training gloves', 'Size M', 18, 1, 10],
  ['Lifting straps', 'A pair', 12.5, 1, 8],
  ['Yoga mat', '6 mm', 24, 1, 8],
  ['Vitamin water 0.5 l', 'Not ordered any more', 2.1, 0, 4],
];

/**
 * What members bought when they came or went. The shelves are filled once a week; every piece that came or went is a
 * stock movement.
 */
export async function addShop(
  client: pg.Client,
  { gym, place, now, manager, desk }: Demo,
  visits: Visit[],
): Promise<number> {
  const random = new Random(2 + 10 * place);
  const moments = visits
    .filter(() => random.next() < 0.4)
    .map(({ check_in_time: came, check_out_time: went, is_auto_closed }) =>
      went === null || is_auto_closed || random.next() < 0.5 ? came + 2 * MINUTE : went - 5 * MINUTE,
    )
    .filter((moment) => moment <= now)
    .toSorted((a, b) => a - b);
  const shelves = PRODUCTS.map(([name, description, price, demand, full]) => {
    const product: Product = { name, description, price, quantity: 0, gym_id: gym, is_active: demand > 0 };
    return { product, demand, full };
  });
  const wanted = shelves.flatMap(({ product, demand }) => Array<Product>(demand).fill(product));
  const sales: Row[] = [];
  const movements: Row[] = [];
  const move = (product: Product, change: number, at: number, cause: Row) => {
    product.quantity += change;
    const why = { sale_id: null, note: null, ...cause };
    movements.push({ ...{ product_id: product, change, quantity_after: product.quantity, created_at: at }, ...why });
  };

  let week = 0;
  for (const moment of moments) {
    if (moment > week * 7 * DAY) {
      week = Math.ceil(moment / (7 * DAY));
      const note = `Delivery note ${4700 + (week % 1000)}`;
      for (const { product, full } of shelves) {
        if (product.quantity < full / 2)
          move(product, full - product.quantity, moment - MINUTE, { reason: 'delivery', moved_by_id: manager, note });
      }
      const damaged = random.pick(shelves).product;
      if (week % 3 === 0) move(damaged, -1, moment, { reason: 'correction', moved_by_id: manager, note: 'Damaged' });
    }
    const product = random.pick(wanted);
    const quantity = product.price < 5 && random.next() < 0.2 ? 2 : 1;
    if (product.quantity < quantity) continue;
    const seller = random.pick(desk);
    const sale: Row = {
      ...{ gym_id: gym, product_id: product, quantity, unit_price: product.price, sold_by_id: seller },
      ...{
        total_amount: (product.price * quantity).toFixed(2),
        sale_date: moment,
        created_at: moment,
        updated_at: moment,
      },
    };
    sales.push(sale);
    move(product, -quantity, moment, { reason: 'sale', moved_by_id: seller, sale_id: sale });
  }
  const products = shelves.map(({ product }) => product);
  await insert(client, 'products', products);
  await insert(client, 'sales', sales);
  await insert(client, 'stock_movements', movements);
  return sales.length;
}
