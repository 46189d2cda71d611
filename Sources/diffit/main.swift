print("diffit")
