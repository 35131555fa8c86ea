drop function learn_turn;
drop function reinforced;
drop table turns;
