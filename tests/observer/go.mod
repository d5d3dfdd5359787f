module quorate.test/observer

go 1.21
